// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// A control group of version 1 of one kind (cpu, memory, pids), as this project's test machines have them; where there
/// is only version 2, the same limits under their names there. Needs root.
/// </summary>
internal sealed class ControlGroup : IAsyncDisposable
{
    private static int s_number;

    private readonly string _folder;
    private readonly bool _isOld;

    private ControlGroup(string folder, bool isOld)
    {
        _folder = folder;
        _isOld = isOld;
    }

    /// <summary>Goes before a program: it enters the group and executes the program.</summary>
    public string[] Wrapper => ["sh", "-c", $"echo $$ > {_folder}/cgroup.procs && exec \"$0\" \"$@\""];

    public static ControlGroup Create(string kind)
    {
        var isOld = Directory.Exists($"/sys/fs/cgroup/{kind}");
        var root = isOld ? $"/sys/fs/cgroup/{kind}" : "/sys/fs/cgroup";
        var number = Interlocked.Increment(ref s_number);
        var folder = Path.Combine(
            root, string.Create(CultureInfo.InvariantCulture, $"muster-{Environment.ProcessId}-{number}"));
        if (!isOld)
        {
            File.WriteAllText(Path.Combine(root, "cgroup.subtree_control"), $"+{kind}");
        }

        Directory.CreateDirectory(folder);
        return new(folder, isOld);
    }

    /// <summary>Percent of one processor.</summary>
    public void LimitCpu(int percent)
    {
        if (_isOld)
        {
            Write("cpu.cfs_period_us", "100000");
            Write("cpu.cfs_quota_us", (percent * 1_000).ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            Write("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{percent * 1_000} 100000"));
        }
    }

    public void LimitMemory(long bytes) =>
        Write(_isOld ? "memory.limit_in_bytes" : "memory.max", bytes.ToString(CultureInfo.InvariantCulture));

    /// <summary>
    /// Takes memory away down to this; the kernel kills who is in the group when nothing else helps.
    /// </summary>
    public void SqueezeMemory(long bytes)
    {
        try
        {
            LimitMemory(bytes);
        }
        catch (IOException)
        {
            // Version 1 refuses a limit that it cannot reach by itself; at the present use, the next page kills.
            LimitMemory(long.Parse(
                File.ReadAllText(Path.Combine(_folder, "memory.usage_in_bytes")), CultureInfo.InvariantCulture));
        }
    }

    /// <summary>Processes and threads together.</summary>
    public void LimitTasks(int count) => Write("pids.max", count.ToString(CultureInfo.InvariantCulture));

    public async ValueTask DisposeAsync()
    {
        // The kernel gives a group up a moment after its last process.
        for (var tries = 0; Directory.Exists(_folder) && tries < 200; tries++)
        {
            try
            {
                Directory.Delete(_folder);
            }
            catch (IOException)
            {
                await Task.Delay(10);
            }
        }
    }

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_folder, file), text);
}
