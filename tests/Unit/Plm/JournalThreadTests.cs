// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena;
using Muster.Server.PlmHosting;
using Xunit;

namespace Muster.Unit.Plm;

public sealed class JournalThreadTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    [Fact]
    public void Stop_WhileAFlushHangs_EndsAtItsDeadline()
    {
        using var arena = ArenaFile.CreatePrivate(new ArenaLimits { TasksMax = 1_024, WorkersMax = 16 });
        using var host = new PlmHost(new PlmHostOptions { Arena = arena, Addresses = "unix:/nowhere" });
        using var journal = new HangingJournal();
        using var thread = new JournalThread(host, journal, flushIntervalMs: 10);
        thread.Start();
        thread.Appended(wantsSync: true);
        Assert.True(journal.Hangs.Wait(s_patience));
        Assert.False(thread.TryStop(TimeSpan.FromMilliseconds(20)));

        // And once the disk answers, all is closed as it should be.
        journal.Release();
        Assert.True(journal.Closed.Wait(s_patience));
        Assert.True(thread.TryStop(s_patience));
    }

    [Fact]
    public void Stop_OfAJournalThatAnswers_ClosesIt()
    {
        using var arena = ArenaFile.CreatePrivate(new ArenaLimits { TasksMax = 1_024, WorkersMax = 16 });
        using var host = new PlmHost(new PlmHostOptions { Arena = arena, Addresses = "unix:/nowhere" });
        using var journal = new HangingJournal();
        journal.Release();
        using var thread = new JournalThread(host, journal, flushIntervalMs: 10);
        thread.Start();
        Assert.True(thread.TryStop(s_patience));
        Assert.True(journal.Closed.IsSet);
    }
}
