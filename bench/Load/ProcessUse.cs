// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;

namespace Muster.Load;

/// <summary>What one process, or several together, have used so far, as the kernel counts it.</summary>
/// <param name="CpuSeconds">User and system time.</param>
/// <param name="Writes">Calls that wrote to files and pipes; sends on sockets are not among them.</param>
/// <param name="Sleeps">Times that a thread of it went to sleep; threads that have ended are not counted.</param>
/// <param name="PrivateBytes">Memory of its own that it has now: neither files nor shared memory.</param>
internal readonly record struct ProcessUse(double CpuSeconds, double Writes, double Sleeps, double PrivateBytes)
{
    public static ProcessUse operator +(ProcessUse left, ProcessUse right) => new(
        left.CpuSeconds + right.CpuSeconds,
        left.Writes + right.Writes,
        left.Sleeps + right.Sleeps,
        left.PrivateBytes + right.PrivateBytes);

    public static ProcessUse operator -(ProcessUse left, ProcessUse right) => new(
        left.CpuSeconds - right.CpuSeconds,
        left.Writes - right.Writes,
        left.Sleeps - right.Sleeps,
        left.PrivateBytes - right.PrivateBytes);

    public static ProcessUse Of(Process process)
    {
        process.Refresh();
        var folder = string.Create(CultureInfo.InvariantCulture, $"/proc/{process.Id}");
        return new(
            process.TotalProcessorTime.TotalSeconds,
            Number($"{folder}/io", "syscw:"),
            Directory.GetDirectories($"{folder}/task").Sum(thread => SleepsOf(thread)),
            1_024 * Number($"{folder}/status", "RssAnon:"));
    }

    private static double SleepsOf(string thread)
    {
        try
        {
            return Number($"{thread}/status", "voluntary_ctxt_switches:");
        }
        catch (IOException)
        {
            // The thread has ended since the folder was listed.
            return 0;
        }
    }

    private static double Number(string path, string name)
    {
        var line = File.ReadLines(path).First(line => line.StartsWith(name, StringComparison.Ordinal));
        var words = line[name.Length..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        return double.Parse(words[0], CultureInfo.InvariantCulture);
    }
}
