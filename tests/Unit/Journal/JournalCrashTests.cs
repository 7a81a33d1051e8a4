// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Text;
using Muster.Core;
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>Power losses at every call, failing disks, full disks.</summary>
public class JournalCrashTests
{
    private const int CallsMax = 2_000;

    /// <summary>
    /// A life with rotation, forgetting, reopening and an idle moment, in which the disk dies at its n-th call.
    /// </summary>
    [Fact]
    public void PowerLoss_AtEveryCall_LosesNothingSynced()
    {
        var call = 0;
        for (var finished = false; !finished; call++)
        {
            Assert.True(call < CallsMax);
            for (ulong seed = 0; seed < 3; seed++)
            {
                finished = DieAt(call, seed);
            }
        }

        Assert.True(call > 100, $"{call} calls are too few for this to prove anything");
    }

    [Fact]
    public void TornTail_OnceCut_IsErased()
    {
        // The same random number in each life: here only the erasing keeps the lives apart.
        var test = new TestJournal(seed: 1);
        test.Options = test.Options with { NextRandom = () => 7 };
        test.Open();
        test.Append(1, new byte[300]);
        test.Append(1, "second"u8);
        test.Append(1, "third"u8);
        test.Commit(sync: false);
        var disk = test.Disk;
        test.Kill();
        var content = disk.Content(test.Newest());
        var torn = JournalFormat.DataOffset + JournalFormat.RecordBytes(16);
        var whole = torn + JournalFormat.RecordBytes(300);
        Assert.NotEqual(-1, content.AsSpan(whole).IndexOfAnyExcept((byte)0));
        content[torn] ^= 1;

        Assert.True(FileJournal.TryOpen(disk, test.Options, out var journal).IsNone);
        Assert.Equal(2, journal!.Recovered.RemainsCount);
        Assert.True(journal.Recovered.IsTorn);
        Assert.Empty(JournalConformance.Replayed(journal));
        Assert.Equal(-1, content.AsSpan(whole).IndexOfAnyExcept((byte)0));
        journal.Dispose();

        disk.Crash(seed: 2);
        Assert.True(FileJournal.TryOpen(disk, test.Options, out journal).IsNone);
        Assert.Empty(JournalConformance.Replayed(journal!));
    }

    [Fact]
    public void StaleBlock_OfALifeThatWasCut_IsRefused()
    {
        TestJournal test;
        byte[] block;
        ulong seed = 1;
        do
        {
            test = new TestJournal(seed);
            test.Open();
            test.Append(1, "acknowledged by nobody"u8);
            test.Commit(sync: false);
            block = test.Disk.Content(test.Newest()).AsSpan(JournalFormat.DataOffset, 4096).ToArray();
            test.Crash(seed++);
            test.Open();
        }
        while (test.Expected.Count > 0);

        test.Kill();
        block.CopyTo(test.Disk.Content(test.Newest()).AsSpan(JournalFormat.DataOffset));
        TestJournal.Refused(test.Disk, test.Options);
    }

    [Fact]
    public void Spare_MadeOfAnOldSegment_GivesNoOldRecords()
    {
        var test = new TestJournal(seed: 2);
        test.Open();
        for (var round = 0; round < 40; round++)
        {
            // The same bytes at the same offset of each segment.
            test.Append(1, new byte[1000]);
            test.Commit(sync: true);
            test.Forget(int.MaxValue);
            test.Journal.Maintain();
            test.Commit(sync: true);
            test.Journal.Maintain();
            test.Kill();
            test.Open();
        }

        Assert.True(test.Journal.Recovered.Last.Sequence > 40);
        Assert.True(test.Disk.Names.Count <= 4, string.Join(' ', test.Disk.Names));
    }

    [Fact]
    public void Open_AfterAFailedFlush_WritesAgainWhatIsOnlyInTheCache()
    {
        var test = new TestJournal(seed: 3);
        test.Open();

        // Over several sectors, so that nothing else brings them to the disk.
        test.Append(1, JournalConformance.Body(3_000));
        test.Disk.Failing = (call, _) => call == DiskCall.Sync ? JournalErrno.EIO : 0;
        Assert.Throws<JournalFailedException>(() => test.Commit(sync: true));
        test.Disk.Failing = null;
        test.Kill();
        test.Open();
        Assert.True(test.Journal.SyncedSequence >= test.Expected[^1].Sequence);

        // The record could be read although it was on no disk; now it is.
        test.Crash(seed: 4);
        test.Open();
        Assert.Single(test.Expected);
    }

    [Theory]
    [InlineData(nameof(DiskCall.Write))]
    [InlineData(nameof(DiskCall.Sync))]
    public void FailedCall_OfASegmentInUse_EndsEverything(string failing)
    {
        var test = new TestJournal(seed: 5);
        test.Open();
        test.Append(1, "a"u8);
        test.Commit(sync: true);
        var call = Enum.Parse<DiskCall>(failing);
        test.Disk.Failing = (each, _) => each == call ? JournalErrno.ENOSPC : 0;
        test.Append(1, "b"u8);
        var failure = Assert.Throws<JournalFailedException>(() => test.Commit(sync: true));
        Assert.Equal(FaultCode.JournalFailed, failure.Fault.Code);
        Assert.Contains("errno 28", failure.Message, StringComparison.Ordinal);

        // Even if the disk works again: what it holds is unknown.
        test.Disk.Failing = null;
        Assert.Throws<JournalFailedException>(() => test.Journal.Append(1, "c"u8));
        Assert.Throws<JournalFailedException>(() => test.Journal.Commit(sync: true));
        Assert.Throws<JournalFailedException>(() => test.Journal.Maintain());
        Assert.Throws<JournalFailedException>(() => test.Journal.Close());
        test.Crash(seed: 6);
        test.Open();
    }

    [Fact]
    public void FullDisk_RefusesNewWorkAndStillRecords_AndRecovers()
    {
        var test = new TestJournal(seed: 7);
        test.Disk.CapacityBytes = 2 * test.Options.SegmentBytes;
        test.Open();
        MaintainAll(test);
        Assert.True(test.Journal.Refusal.IsNone);
        AppendUntilSegment(test, 2);
        MaintainAll(test);
        Assert.Equal(FaultCode.DiskFull, test.Journal.Refusal.Code);
        Assert.True(test.Journal.Refusal.RetryAfterMs > 0);

        // The spare takes what still has to be recorded.
        test.Append(2, "outcome"u8);
        test.Commit(sync: true);
        Assert.Equal(test.Journal.AppendedSequence, test.Expected[^1].Sequence);
        Assert.True(test.Journal.SyncedSequence >= test.Expected[^1].Sequence);

        // Past the reserve nothing is acknowledged, and nothing is lost.
        for (var record = 0; record < 20; record++)
        {
            test.Append(2, new byte[1000]);
        }

        test.Commit(sync: true);
        Assert.True(test.Journal.SyncedSequence < test.Expected[^1].Sequence);
        test.Disk.CapacityBytes = 10 * test.Options.SegmentBytes;
        test.Commit(sync: true);
        Assert.True(test.Journal.SyncedSequence >= test.Expected[^1].Sequence);
        test.NowUs += 2_000_000;
        MaintainAll(test);
        Assert.True(test.Journal.Refusal.IsNone);
        test.Crash(seed: 8);
        test.Open();
    }

    [Fact]
    public void FullDisk_ClosedPastItsReserve_KeepsWhatWasAcknowledged()
    {
        var test = new TestJournal(seed: 10);
        test.Disk.CapacityBytes = 2 * test.Options.SegmentBytes;
        test.Open();
        MaintainAll(test);
        for (var record = 0; record < 40; record++)
        {
            test.Append(2, new byte[1000]);
        }

        test.Commit(sync: true);
        Assert.True(test.Journal.SyncedSequence < test.Expected[^1].Sequence);
        test.Close();
        test.Open();
        Assert.NotEmpty(test.Expected);
    }

    [Fact]
    public void FullDisk_WithRetainedSegments_UsesThose()
    {
        var test = new TestJournal(seed: 9);
        test.Options = test.Options with { RetainAge = TimeSpan.FromDays(1) };
        test.Disk.CapacityBytes = 4 * test.Options.SegmentBytes;
        test.Open();
        AppendUntilSegment(test, 4);
        MaintainAll(test);
        Assert.Equal(FaultCode.DiskFull, test.Journal.Refusal.Code);
        test.Forget(int.MaxValue);
        MaintainAll(test);
        Assert.True(test.Journal.Refusal.IsNone);
        Assert.Equal(3, test.Disk.Names.Count(name => SegmentName.TryParse(name, out _)));
        AppendUntilSegment(test, 7);
    }

    [Fact]
    public void Retention_ByAgeAndBytes_KeepsWhatItSays()
    {
        var test = new TestJournal(seed: 10);
        test.Options = test.Options with
        {
            RetainAge = TimeSpan.FromSeconds(60), RetainBytes = 3 * test.Options.SegmentBytes,
        };
        test.Open();
        AppendUntilSegment(test, 7);
        test.Forget(int.MaxValue);
        MaintainAll(test);
        Assert.Equal([4UL, 5, 6, 7], Numbers(test));
        test.NowUs += 61_000_000;
        MaintainAll(test);
        Assert.Equal([7UL], Numbers(test));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(60)]
    public void Retention_ClockSetBack_KeepsNothingLonger(int seconds)
    {
        var test = new TestJournal(seed: 10);
        test.Options = test.Options with { RetainAge = TimeSpan.FromSeconds(seconds) };
        test.Open();
        AppendUntilSegment(test, 7);
        test.NowUs -= 3_600_000_000;
        test.Forget(int.MaxValue);
        MaintainAll(test);
        Assert.Equal([7UL], Numbers(test));
    }

    [Fact]
    public void Append_PastEveryLimit_FailsInsteadOfGrowing()
    {
        var test = new TestJournal(seed: 11);
        test.Open();
        var most = test.Options.PendingBytesMax * JournalLimits.PendingTimesMax;
        var failure = Assert.Throws<JournalFailedException>(() =>
        {
            for (var bytes = 0; bytes <= most + 1000; bytes += 1000)
            {
                test.Append(1, new byte[1000]);
            }
        });
        Assert.Equal(FaultCode.JournalFailed, failure.Fault.Code);
    }

    [Fact]
    public void AppendAndCommit_InSteadyState_AllocateNothing()
    {
        var test = new TestJournal(seed: 12, segmentBytes: 16 * 1024 * 1024);
        test.Open();
        var body = Encoding.ASCII.GetBytes("a body of some bytes, as facts are");
        Round(1_000);

        // Whatever allocates for a record does it in every round; the runtime's own, for a compiled method, in one.
        var least = long.MaxValue;
        for (var round = 0; round < 5 && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Round(10_000);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);

        void Round(int records)
        {
            for (var record = 0; record < records; record++)
            {
                test.Journal.Append(1, body);
                if (record % 100 == 99)
                {
                    test.Journal.Commit(sync: record % 1000 == 999);
                }
            }
        }
    }

    /// <returns>Whether the life ended before the disk died.</returns>
    private static bool DieAt(int call, ulong seed)
    {
        var test = new TestJournal(seed);
        var calls = 0;
        var died = false;
        test.Disk.Failing = (_, _) => calls++ >= call ? Dead(ref died) : 0;
        try
        {
            Live(test);
        }
        catch (JournalFailedException)
        {
            Assert.True(died);
        }

        test.Disk.Failing = null;
        test.Crash((seed * 1_000_003) + (ulong)call);
        test.Open();
        test.Append(9, "again"u8);
        test.Commit(sync: true);
        test.Crash(seed);
        test.Open();
        return !died;
    }

    private static int Dead(ref bool died)
    {
        died = true;
        return JournalErrno.EIO;
    }

    private static void Live(TestJournal test)
    {
        for (var life = 0; life < 2; life++)
        {
            if (!test.TryOpen().IsNone)
            {
                return;
            }

            for (var round = 0; round < 8; round++)
            {
                for (var record = 0; record < 5; record++)
                {
                    test.Append(1, new byte[(round * 97) + (record * 200)]);
                }

                test.Commit(sync: round % 3 != 0);
                if (round % 4 == 3)
                {
                    test.Forget(round * 2);
                }

                test.Journal.Maintain();
            }

            test.Commit(sync: true);
            test.Commit(sync: true);
            test.Close();
        }
    }

    private static void AppendUntilSegment(TestJournal test, ulong number)
    {
        while (test.Newest() != SegmentName.Of(number))
        {
            test.Append(1, new byte[1000]);
            test.Commit(sync: true);
        }
    }

    private static void MaintainAll(TestJournal test)
    {
        for (var round = 0; round < 50; round++)
        {
            test.Journal.Maintain();
            test.Commit(sync: true);
        }
    }

    private static ulong[] Numbers(TestJournal test) =>
    [
        .. test.Disk.Names
            .Select(name => SegmentName.TryParse(name, out var number) ? number : 0)
            .Where(number => number > 0),
    ];
}
