// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Linq;
using System.Runtime.InteropServices;
using System.Threading.Tasks;
using Muster.Shared.Cells;

namespace Muster.Load;

/// <summary>
/// System calls per task of each kind of process, counted by the kernel through perf while some more tasks run. Without
/// perf, or the right to use it, there is no figure.
/// </summary>
internal static class SyscallCounts
{
    private const int Interrupt = 2;

    // Until perf has opened its counters; nothing says so.
    private static readonly TimeSpan s_opening = TimeSpan.FromSeconds(1);

    /// <summary>Null: they cannot be counted here.</summary>
    public static async Task<IReadOnlyDictionary<string, double>?> MeasureAsync(
        CellProcesses cell, int tasks, Func<Task> run)
    {
        var counters = new Dictionary<string, Process>();
        try
        {
            foreach (var (kind, pids) in PidsOf(cell))
            {
                counters[kind] = Count(pids);
            }

            await Task.Delay(s_opening);
            await run();
            var counts = new Dictionary<string, double>();
            foreach (var (kind, counter) in counters)
            {
                _ = kill(counter.Id, Interrupt);
                var text = await counter.StandardError.ReadToEndAsync();
                if (!double.TryParse(text.Split(',')[0], CultureInfo.InvariantCulture, out var calls))
                {
                    Console.WriteLine($"  system calls are not counted: perf says: {text.Trim()}");
                    return null;
                }

                counts[kind] = Math.Round(calls / tasks, 4);
            }

            return counts;
        }
        catch (Win32Exception)
        {
            Console.WriteLine("  system calls are not counted: perf is not installed");
            return null;
        }
        finally
        {
            foreach (var counter in counters.Values)
            {
                counter.Kill();
                counter.Dispose();
            }
        }
    }

    private static IEnumerable<(string Kind, IEnumerable<int> Pids)> PidsOf(CellProcesses cell) =>
    [
        .. CellProcesses.Roles.Select(role => (role, (IEnumerable<int>)[cell.Role(role).Id])),
        ("worker", cell.Workers.Where(worker => !worker.HasExited).Select(worker => worker.Id)),
        ("client", [Environment.ProcessId]),
    ];

    private static Process Count(IEnumerable<int> pids) => Process.Start(new ProcessStartInfo(
        "perf", ["stat", "-x,", "-e", "raw_syscalls:sys_enter", "-p", string.Join(',', pids)])
    {
        RedirectStandardError = true,
    })!;

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int kill(int pid, int signal);
}
