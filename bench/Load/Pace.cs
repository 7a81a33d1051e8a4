// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;

namespace Muster.Load;

/// <summary>
/// Waits for moments of a schedule on one thread. It sleeps as far as the kernel's timers are exact and only then
/// looks at the clock all the time: a generator that did nothing but look would take a core from what it measures.
/// </summary>
internal static class Pace
{
    private const int TimerSlack = 29;

    // About what a sleep ends late by on a processor that is awake; whatever it is, latencies hold it.
    private const double AwakeUs = 5;

    private static readonly double s_ticksPerUs = Stopwatch.Frequency / 1e6;

    /// <summary>Makes this thread's sleeps exact; without it they may end 50 us late.</summary>
    public static void Begin() => _ = prctl(TimerSlack, 1, 0, 0, 0);

    /// <summary>Returns at that moment, or at once when it has passed.</summary>
    public static void Until(long timestamp)
    {
        for (var ahead = timestamp - Stopwatch.GetTimestamp(); ahead > 0; ahead = timestamp - Stopwatch.GetTimestamp())
        {
            var sleepUs = (ahead / s_ticksPerUs) - AwakeUs;
            if (sleepUs > 0)
            {
                long[] span = [(long)(sleepUs / 1e6), (long)(sleepUs % 1e6 * 1_000)];
                _ = nanosleep(span, 0);
            }
            else
            {
                Thread.SpinWait(20);
            }
        }
    }

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int prctl(int option, nuint first, nuint second, nuint third, nuint fourth);

    [DllImport("libc"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int nanosleep(long[] span, nint left);
}
