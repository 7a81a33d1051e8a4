// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading.Tasks;

namespace Muster.Load.Suite;

/// <summary>Where and of what figures are. Immutable; the first line of a file of figures.</summary>
internal sealed record MachineStamp
{
    public required string Cpu { get; init; }

    public required int Cores { get; init; }

    public required long MemoryMib { get; init; }

    public required string Kernel { get; init; }

    public required string Dotnet { get; init; }

    /// <summary>Of the working copy in the current folder, with "+" behind it when files are changed.</summary>
    public required string Commit { get; init; }

    public required string At { get; init; }

    /// <summary>Processes that wanted a processor in the minute before, as the kernel counts them: what else went
    /// on.</summary>
    public double LoadAverage { get; init; }

    public static async Task<MachineStamp> ReadAsync() => new()
    {
        Cpu = ValueOf("/proc/cpuinfo", "model name"),
        Cores = Environment.ProcessorCount,
        MemoryMib = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20,
        Kernel = (await File.ReadAllTextAsync("/proc/sys/kernel/osrelease")).Trim(),
        Dotnet = RuntimeInformation.FrameworkDescription,
        Commit = await CommitAsync(),
        At = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", null),
        LoadAverage = double.Parse(
            (await File.ReadAllTextAsync("/proc/loadavg")).Split(' ')[0], CultureInfo.InvariantCulture),
    };

    private static string ValueOf(string path, string name) =>
        File.ReadLines(path).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))
            ?.Split(':', 2)[1].Trim() ?? "unknown";

    private static async Task<string> CommitAsync()
    {
        var commit = await GitAsync("rev-parse", "--short=12", "HEAD");
        return await GitAsync("status", "--porcelain", "--untracked-files=no") == "" ? commit : commit + "+";
    }

    private static async Task<string> GitAsync(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { RedirectStandardOutput = true })!;
        var text = await git.StandardOutput.ReadToEndAsync();
        await git.WaitForExitAsync();
        return git.ExitCode == 0 ? text.Trim() : "unknown";
    }
}
