// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;

namespace Muster.Simulation;

/// <summary>
/// Runs many seeds, each on one thread from its beginning to its end; they know nothing of each other. A thread of its
/// own takes the next seed when it has done one.
/// </summary>
internal sealed class SeedRange(ulong first, ulong count, int threads)
{
    // Failures beyond these are counted and not kept.
    private const int FailuresKept = 20;

    private readonly List<SeedReport> _failures = [];
    private ulong _taken;
    private long _done;
    private long _failed;
    private long _events;
    private long _simulatedMs;

    /// <summary>The first failures, by seed.</summary>
    public IReadOnlyList<SeedReport> Failures => _failures;

    public long Done => Volatile.Read(ref _done);

    public long Failed => Volatile.Read(ref _failed);

    public long Events => Volatile.Read(ref _events);

    public long SimulatedMs => Volatile.Read(ref _simulatedMs);

    /// <summary>Runs them all; the callback is told each report, from any thread.</summary>
    public void Run(Action<SeedReport>? told = null)
    {
        var workers = new Thread[threads];
        for (var at = 0; at < threads; at++)
        {
            workers[at] = new Thread(() => Work(told)) { IsBackground = true };
            workers[at].Start();
        }

        foreach (var worker in workers)
        {
            worker.Join();
        }

        _failures.Sort(static (left, right) => left.Seed.CompareTo(right.Seed));
    }

    private void Work(Action<SeedReport>? told)
    {
        while (true)
        {
            var next = Interlocked.Increment(ref _taken);
            if (next > count)
            {
                return;
            }

            var report = SeedReport.Of(first + next - 1);
            Interlocked.Add(ref _events, report.Events);
            Interlocked.Add(ref _simulatedMs, report.TimeUs / 1_000);
            Interlocked.Increment(ref _done);
            if (!report.IsClean)
            {
                Interlocked.Increment(ref _failed);
                lock (_failures)
                {
                    if (_failures.Count < FailuresKept)
                    {
                        _failures.Add(report);
                    }
                }
            }

            told?.Invoke(report);
        }
    }
}
