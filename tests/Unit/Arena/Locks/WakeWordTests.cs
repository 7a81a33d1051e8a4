// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Locks;
using Muster.Arena.Native;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Locks;

public sealed class WakeWordTests : IDisposable
{
    private readonly ArenaMap _map = ArenaFile.CreatePrivate(new() { TasksMax = 1_024, PayloadBytesMax = 1 << 20 });

    private WakeWord Word => _map.Wake(Role.Plm);

    public void Dispose() => _map.Dispose();

    [Fact]
    public void Wait_SignalledBefore_ReturnsAtOnceAndOnlyOnce()
    {
        Word.Signal();
        Word.Signal();
        Assert.True(Word.Wait(10_000));
        Assert.False(Word.Wait(0));
    }

    [Fact]
    public void Wait_NobodySignals_ReturnsAfterTheTimeout()
    {
        var start = Stopwatch.GetTimestamp();
        Assert.False(Word.Wait(30));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalMilliseconds, 29, 5_000);
    }

    [Fact]
    public void Wait_OtherRoleIsSignalled_SleepsOn()
    {
        _map.Wake(Role.Scheduler).Signal();
        Assert.False(Word.Wait(5));
        Assert.True(_map.Wake(Role.Scheduler).Wait(0));
    }

    [Fact]
    public void Signal_WaiterSleeps_WakesItLongBeforeTheTimeout()
    {
        var woken = false;
        var thread = 0u;
        var waiter = new Thread(() =>
        {
            var self = new FileInfo("/proc/thread-self").LinkTarget!;
            Volatile.Write(ref thread, uint.Parse(self[(self.LastIndexOf('/') + 1)..], CultureInfo.InvariantCulture));
            woken = Word.Wait(60_000);
        });
        waiter.Start();
        Assert.True(SpinWait.SpinUntil(
            () => ProcStat.TryRead(Volatile.Read(ref thread), out var stat) && stat.State == 'S', 10_000));
        Word.Signal();
        Assert.True(waiter.Join(30_000));
        Assert.True(woken);
    }

    [Fact]
    public void Wait_LongIdle_UsesNoProcessorTime()
    {
        var clock = default(TimeSpan);
        var used = default(TimeSpan);
        var waiter = new Thread(() =>
        {
            var before = ThreadTime();
            var start = Stopwatch.GetTimestamp();
            for (var turn = 0; turn < 10; turn++)
            {
                Word.Wait(50);
            }

            clock = Stopwatch.GetElapsedTime(start);
            used = ThreadTime() - before;
        });
        waiter.Start();
        waiter.Join();
        Assert.True(clock.TotalMilliseconds >= 490);
        Assert.True(used.TotalMilliseconds <= 20, $"{used} of processor time in {clock} of idling");
    }

    /// <summary>Processor time of the calling thread, to 10 ms, from the kernel's own count.</summary>
    private static TimeSpan ThreadTime()
    {
        var fields = File.ReadAllText("/proc/thread-self/stat").Split(") ")[1].Split(' ');
        var ticks = long.Parse(fields[11], CultureInfo.InvariantCulture)
            + long.Parse(fields[12], CultureInfo.InvariantCulture);
        return TimeSpan.FromMilliseconds(ticks * 10);
    }
}
