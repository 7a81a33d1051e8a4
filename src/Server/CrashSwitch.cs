// SPDX-License-Identifier: Apache-2.0
#if SEAMS
using System;
using System.Globalization;
using System.Threading;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;

namespace Muster.Server;

/// <summary>
/// In the build for tests alone: kills this process with -9 at a place that the environment names, MUSTER_CRASH_AT =
/// NAME:N for the N-th time it is reached, and makes the journal so small that every place of it is reached soon.
/// </summary>
internal static class CrashSwitch
{
    public const long SnapshotBytesMin = 2 << 20;
    private const int SmallSegmentBytes = 1 << 20;
    private const int SmallSliceBytes = 8 << 10;
    private const string OrderName = "MUSTER_CRASH_AT";
    private const int SIGKILL = 9;

    private static int s_left;

    /// <summary>Reads the environment, once for each process.</summary>
    public static void Arm()
    {
        var order = Environment.GetEnvironmentVariable(OrderName);
        if (order?.Split(':') is not [var name, var times]
            || !int.TryParse(times, CultureInfo.InvariantCulture, out s_left))
        {
            return;
        }

        CrashPoint.Reached = reached =>
        {
            if (reached == name && Interlocked.Decrement(ref s_left) == 0)
            {
                Signal.Send((uint)Environment.ProcessId, SIGKILL);

                // The signal takes a moment to arrive; nothing may be done meanwhile.
                new ManualResetEventSlim().Wait();
            }
        };
    }

    /// <summary>Most tasks of a test's load wait, and on disk.</summary>
    public static PlmOptions Small(PlmOptions options) => options with { HoldFrom = 256, ExtentTasks = 16 };

    /// <summary>A segment is used again only while its successor in reserve is not ready, which is then kept late.
    /// </summary>
    public static JournalOptions Small(JournalOptions options)
    {
        var order = Environment.GetEnvironmentVariable(OrderName) ?? "";
        return options with
        {
            SegmentBytes = SmallSegmentBytes,
            SliceBytesMax = order.StartsWith("journal.recycle.", StringComparison.Ordinal)
                ? SmallSliceBytes
                : options.SliceBytesMax,
        };
    }
}
#endif
