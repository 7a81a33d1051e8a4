// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Locks;
using Xunit;

namespace Muster.Unit.Arena.Locks;

public class ThreadWordTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Wait_SignalledBefore_ReturnsAtOnceAndOnce()
    {
        var word = new ThreadWord();
        word.Signal();
        word.Signal();
        word.Wait();
        var isBack = false;
        var waiter = new Thread(() =>
        {
            word.Wait();
            Volatile.Write(ref isBack, true);
        });
        waiter.Start();
        Assert.True(SpinWait.SpinUntil(
            () => (waiter.ThreadState & ThreadState.Unstarted) == 0, s_patience));
        Assert.False(Volatile.Read(ref isBack));
        word.Signal();
        Assert.True(waiter.Join(s_patience));
        Assert.True(isBack);
    }

    [Fact]
    public void PingPong_ManyTimes_LosesNoSignal()
    {
        const int Rounds = 20_000;
        var there = new ThreadWord();
        var back = new ThreadWord();
        var ball = 0;
        var other = new Thread(() =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                while (Volatile.Read(ref ball) != (2 * round) - 1)
                {
                    there.Wait();
                }

                Volatile.Write(ref ball, 2 * round);
                back.Signal();
            }
        });
        other.Start();
        var done = new ManualResetEventSlim();
        var mine = new Thread(() =>
        {
            for (var round = 1; round <= Rounds; round++)
            {
                Volatile.Write(ref ball, (2 * round) - 1);
                there.Signal();
                while (Volatile.Read(ref ball) != 2 * round)
                {
                    back.Wait();
                }
            }

            done.Set();
        });
        mine.Start();
        Assert.True(done.Wait(s_patience));
        Assert.Equal(2 * Rounds, ball);
    }
}
