// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Locks;
using Muster.Arena.Native;
using Muster.Core;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Arena.Locks;

/// <summary>
/// Two runs that only a right protocol passes. In the first a waiter goes to sleep while a signal comes in; in the
/// second a signaller finds the word signalled already while the waiter takes that signal. Either way, work that lies
/// there while its waiter sleeps is a lost wake-up. Two twins, each without one of the safeguards, must be caught.
/// </summary>
public sealed class WakeWordLitmus(ITestOutputHelper output) : IDisposable
{
    private const int Rounds = 20_000;

    // A twin fails only while both threads really run at once, which on a busy machine may take long to happen.
    private const int TwinSecondsMax = 600;

    private readonly ArenaMap _map = ArenaFile.CreatePrivate(new() { TasksMax = 1_024, PayloadBytesMax = 1 << 20 });

    // On lines of their own, so that the store of one really waits in the store buffer while the other is read.
    private readonly long[] _lines = new long[64];

    private interface IWake
    {
        void Signal();

        bool Wait(int timeoutMs);
    }

    private ref long Work => ref _lines[16];

    private ref long Seen => ref _lines[32];

    private ref long Start => ref _lines[48];

    public void Dispose() => _map.Dispose();

    [Fact]
    public void SleepRace_TheWordAsItIs_LosesNothing()
    {
        var lost = RunSleepRace(new Real(_map.Wake(Role.Plm)), Rounds, TimeSpan.FromSeconds(120));
        Assert.Equal(0, lost);
    }

    [Fact]
    public void SleepRace_TwinWithoutReCheck_IsCaught()
    {
        var lost = RunSleepRace(new WithoutReCheck(), int.MaxValue, TimeSpan.FromSeconds(TwinSecondsMax));
        Assert.True(lost > 0, "a waiter that does not look again before it sleeps was not noticed");
    }

    [Fact]
    public void MarkRace_TheWordAsItIs_LosesNothing()
    {
        var lost = RunMarkRace(new Real(_map.Wake(Role.Plm)), 10 * Rounds, TimeSpan.FromSeconds(20));
        Assert.Equal(0, lost);
    }

    [Fact]
    public void MarkRace_TwinWithoutFence_IsCaught()
    {
        var lost = RunMarkRace(new WithoutFence(), int.MaxValue, TimeSpan.FromSeconds(TwinSecondsMax));
        Assert.True(lost > 0, "a signaller without a fence was not noticed");
    }

    /// <summary>One signal per piece of work; the next piece when the last was seen. Ends at the first loss.</summary>
    private int RunSleepRace(IWake wake, int rounds, TimeSpan timeMax)
    {
        var lost = 0;
        var finished = false;
        var waiter = new Thread(() =>
        {
            while (!Volatile.Read(ref finished))
            {
                Volatile.Write(ref Seen, Volatile.Read(ref Work));

                // The second wait tells a signal that was on its way from one that got lost.
                if (!wake.Wait(100) && HasUnseenWork() && !wake.Wait(1_000) && HasUnseenWork())
                {
                    Interlocked.Increment(ref lost);
                }
            }
        });
        waiter.Start();
        var random = new Random(1);
        var begin = Stopwatch.GetTimestamp();
        var round = 0;
        for (; round < rounds && Volatile.Read(ref lost) == 0 && Stopwatch.GetElapsedTime(begin) < timeMax; round++)
        {
            Thread.SpinWait(random.Next(100));
            Volatile.Write(ref Work, round + 1);
            wake.Signal();
            SpinWait.SpinUntil(() => !HasUnseenWork() || Volatile.Read(ref lost) > 0);
        }

        Volatile.Write(ref finished, true);
        wake.Signal();
        waiter.Join();
        output.WriteLine($"{round} rounds, {lost} lost, {Stopwatch.GetElapsedTime(begin)}");
        return lost;
    }

    /// <summary>
    /// Both sides start a round together with the word signalled. The waiter must end it having seen the work, or with
    /// the word signalled again. Ends at the first loss.
    /// </summary>
    private int RunMarkRace(IWake wake, int rounds, TimeSpan timeMax)
    {
        var lost = 0;
        var finished = false;
        var arrived = 0L;
        var signaller = new Thread(() =>
        {
            for (var round = 1L; ; round++)
            {
                while (Volatile.Read(ref Start) != round)
                {
                    if (Volatile.Read(ref finished))
                    {
                        return;
                    }

                    GiveWay();
                }

                Volatile.Write(ref Work, round);
                wake.Signal();
                Volatile.Write(ref arrived, round);
            }
        });
        signaller.Start();
        var begin = Stopwatch.GetTimestamp();
        var done = 0L;
        while (done < rounds && lost == 0 && Stopwatch.GetElapsedTime(begin) < timeMax)
        {
            done++;
            wake.Signal();
            Volatile.Write(ref Start, done);
            Thread.SpinWait((int)(done % 16));
            wake.Wait(0);
            var seen = Volatile.Read(ref Work) == done;
            while (Volatile.Read(ref arrived) != done)
            {
                GiveWay();
            }

            lost += wake.Wait(0) || seen ? 0 : 1;
        }

        Volatile.Write(ref finished, true);
        signaller.Join();
        output.WriteLine($"{done} rounds, {lost} lost, {Stopwatch.GetElapsedTime(begin)}");
        return lost;
    }

    private bool HasUnseenWork() => Volatile.Read(ref Work) != Volatile.Read(ref Seen);

    private static void GiveWay()
    {
        if (Random.Shared.Next(64) == 0)
        {
            Thread.Yield();
        }
    }

    private sealed class Real(WakeWord word) : IWake
    {
        public void Signal() => word.Signal();

        public bool Wait(int timeoutMs) => word.Wait(timeoutMs);
    }

    /// <summary>
    /// Goes to sleep without a look at what came since it said that nothing had; a moment wider than need be.
    /// </summary>
    private sealed class WithoutReCheck : IWake
    {
        private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);

        public void Signal()
        {
            if (Interlocked.Exchange(ref _word[0], WakeWord.Signalled) == WakeWord.Sleeping)
            {
                Futex.WakeAll(ref _word[0]);
            }
        }

        public bool Wait(int timeoutMs)
        {
            if (Interlocked.Exchange(ref _word[0], WakeWord.Idle) == WakeWord.Signalled)
            {
                return true;
            }

            Thread.SpinWait(20);
            Volatile.Write(ref _word[0], WakeWord.Sleeping);
            Futex.Wait(ref _word[0], WakeWord.Sleeping, Stopwatch.GetTimestamp() + (timeoutMs * 1_000_000L));
            return Interlocked.Exchange(ref _word[0], WakeWord.Idle) == WakeWord.Signalled;
        }
    }

    /// <summary>Looks whether the word is signalled while the work may still be on its way to the others.</summary>
    private sealed class WithoutFence : IWake
    {
        private readonly int[] _word = new int[32];

        public void Signal()
        {
            if (Volatile.Read(ref _word[16]) != WakeWord.Signalled)
            {
                Interlocked.Exchange(ref _word[16], WakeWord.Signalled);
            }
        }

        public bool Wait(int timeoutMs) => Interlocked.Exchange(ref _word[16], WakeWord.Idle) == WakeWord.Signalled;
    }
}
