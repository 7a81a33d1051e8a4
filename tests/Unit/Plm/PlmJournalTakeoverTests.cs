// SPDX-License-Identifier: Apache-2.0
using Muster.Journal;
using Muster.Plm.Facts;
using Muster.Server.PlmHosting;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Plm;

/// <summary>What a takeover tells a journal that nobody commits yet.</summary>
public sealed class PlmJournalTakeoverTests
{
    [Fact]
    public void Append_MoreThanMayWait_IsWrittenMeanwhile()
    {
        const int Records = 100;
        var disk = new MemoryDisk();
        var options = new JournalOptions { SegmentBytes = 8 << 20, UnixUs = () => 1, NextRandom = () => 5 };
        var fault = FileJournal.TryOpen(disk, options, out var log);
        Assert.True(fault.IsNone, fault.Message);
        var journal = new PlmJournal(log!, snapshotBytesMin: 1 << 20);
        var body = new byte[1 << 20];
        for (var record = 0; record < Records; record++)
        {
            journal.Append(RecordKind.Turn, body);
            Assert.False(journal.IsOverrun);
        }

        // Then it is the thread's alone.
        journal.LeaveCommits();
        var written = log!.WrittenSequence;
        journal.Append(RecordKind.Turn, body);
        journal.Append(RecordKind.Turn, body);
        Assert.Equal(written, log.WrittenSequence);
        log.Close();
        log.Dispose();
        Assert.True(FileJournal.TryOpen(disk, options, out log).IsNone);
        var replayed = 0;
        Assert.True(log!.Replay((in JournalRecord _) => replayed++).IsNone);
        Assert.Equal(Records + 2, replayed);
        log.Dispose();
    }
}
