// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Locks;

public sealed class ArenaLockTests : IDisposable
{
    private readonly ArenaMap _map = ArenaFile.CreatePrivate(new() { TasksMax = 1_024, PayloadBytesMax = 1 << 20 });

    public void Dispose() => _map.Dispose();

    [Fact]
    public void Enter_Free_NeedsNoRepair()
    {
        for (var turn = 0; turn < 3; turn++)
        {
            using var scope = _map.NamesLock.Enter();
            Assert.False(scope.NeedsRepair);
        }
    }

    [Fact]
    public void Enter_HoldingThreadEnded_NeedsRepairUntilMarked()
    {
        RunThread(() => _map.NamesLock.Enter());
        using (var scope = _map.NamesLock.Enter())
        {
            Assert.True(scope.NeedsRepair);
        }

        using (var scope = _map.NamesLock.Enter())
        {
            Assert.True(scope.NeedsRepair);
            scope.MarkRepaired();
            Assert.False(scope.NeedsRepair);
        }

        using (var scope = _map.NamesLock.Enter())
        {
            Assert.False(scope.NeedsRepair);
        }
    }

    [Fact]
    public void Enter_RepairerEndedToo_NeedsRepairStill()
    {
        for (var death = 0; death < 3; death++)
        {
            RunThread(() =>
            {
                var scope = _map.NamesLock.Enter();
                scope.RepairGoesOn();
            });
        }

        using var last = _map.NamesLock.Enter();
        Assert.True(last.NeedsRepair);
        last.MarkRepaired();
    }

    [Fact]
    public void Enter_OtherLockIsHeld_DoesNotWait()
    {
        using var first = _map.NamesLock.Enter();
        using var second = _map.HeapLock.Enter();
        Assert.False(second.NeedsRepair);
    }

    [Fact]
    public void Enter_HolderInThisProcessIsSlow_WaitsAndKillsNobody()
    {
        Assert.True(_map.TryTakeRole(Role.Plm, "x", out _).IsNone);
        using var held = new ManualResetEventSlim();
        using var entering = new ManualResetEventSlim();
        var holder = new Thread(() =>
        {
            using var scope = _map.NamesLock.Enter();
            held.Set();
            Assert.True(entering.Wait(10_000));

            // Longer than a foreign holder would be borne without a look at it.
            var start = System.Diagnostics.Stopwatch.GetTimestamp();
            SpinWait.SpinUntil(() => System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMilliseconds > 120);
        });
        holder.Start();
        Assert.True(held.Wait(10_000));
        entering.Set();
        using (var scope = _map.NamesLock.Enter())
        {
            Assert.False(scope.NeedsRepair);
        }

        holder.Join();
        Assert.Equal(0u, _map.NamesLock.Killed);
    }

    [Fact]
    public void Enter_SameThreadAgain_IsAnInvariantFailureNotADeadlock()
    {
        using var scope = _map.NamesLock.Enter();
        var again = false;
        try
        {
            _map.NamesLock.Enter();
        }
        catch (InvariantException)
        {
            again = true;
        }

        Assert.True(again);
    }

    [Fact]
    public void Enter_HolderInThisProcessNeverLetsGo_IsAnInvariantFailureAfterFiveSeconds()
    {
        using var held = new ManualResetEventSlim();
        using var done = new ManualResetEventSlim();
        var holder = new Thread(() =>
        {
            using var scope = _map.HeapLock.Enter();
            held.Set();
            Assert.True(done.Wait(30_000));
        });
        holder.Start();
        Assert.True(held.Wait(10_000));
        var start = System.Diagnostics.Stopwatch.GetTimestamp();
        Assert.Throws<InvariantException>(() => _map.HeapLock.Enter().Dispose());
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 4.9, 20);
        done.Set();
        holder.Join();
    }

    private static void RunThread(ThreadStart body)
    {
        var thread = new Thread(body);
        thread.Start();
        thread.Join();
    }
}
