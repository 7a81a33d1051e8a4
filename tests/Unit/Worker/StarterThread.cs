// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Threading;

namespace Muster.Unit.Worker;

/// <summary>
/// A thread that starts commands for tests and lives as long as they may: a command dies with the thread that started
/// it, and those of tests come and go.
/// </summary>
internal static class StarterThread
{
    private static readonly BlockingCollection<Action> s_work = [];
    private static readonly Thread s_thread = Begin();

    /// <summary>Runs it there; returns when it has.</summary>
    public static void Run(Action work)
    {
        using var done = new ManualResetEventSlim();
        s_work.Add(() =>
        {
            try
            {
                work();
            }
            finally
            {
                done.Set();
            }
        });
        done.Wait();
        GC.KeepAlive(s_thread);
    }

    private static Thread Begin()
    {
        var thread = new Thread(() =>
        {
            foreach (var work in s_work.GetConsumingEnumerable())
            {
                work();
            }
        })
        {
            IsBackground = true,
            Name = "test-starter",
        };
        thread.Start();
        return thread;
    }
}
