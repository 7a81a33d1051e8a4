// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>What must be refused, and what must not.</summary>
public class JournalDamageTests
{
    private const int CutBytes = 64 * 1024;

    [Fact]
    public void UnfinishedTail_CutAtEveryByte_GivesThePrefix()
    {
        var test = new TestJournal(seed: 1, segmentBytes: CutBytes + JournalFormat.DataOffset);
        test.Open();
        FillSegment(test);
        test.Commit(sync: false);
        var ends = Ends(test);
        var content = test.Disk.Content(test.Newest());
        var layout = Layout(test.Disk);
        Assert.True(ends[^1] > CutBytes);

        // Down to the mark of the opening, which is flushed.
        for (var end = ends[^1] - 1; end >= ends[0]; end--)
        {
            content[end] = 0;
            var fault = JournalScan.Run(test.Disk, layout.Segments, 0, visit: null, out var tail);
            Assert.True(fault.IsNone, fault.Message);

            // A record whose last bytes were zeros is whole without them.
            var whole = ends.TakeWhile(each => each <= end).Count();
            Assert.InRange(tail.Last.Sequence, (ulong)whole, (ulong)whole + 1);
        }
    }

    [Fact]
    public void FlushedTail_CutAtEveryByte_IsRefused()
    {
        var test = new TestJournal(seed: 2, segmentBytes: CutBytes + JournalFormat.DataOffset);
        test.Open();
        FillSegment(test);
        test.Commit(sync: true);
        var ends = Ends(test);
        test.Close();
        var content = test.Disk.Content(test.Newest());
        var layout = Layout(test.Disk);
        var last = ends[^1];
        for (var end = content.Length - 1; end >= JournalFormat.DataOffset; end--)
        {
            content[end] = 0;
            var fault = JournalScan.Run(test.Disk, layout.Segments, 0, visit: null, out var tail);
            Assert.True(
                fault.Code == FaultCode.JournalDamaged || tail.Last.Sequence >= (ulong)ends.Count,
                $"cut at {end} of {last} was taken for an unfinished write");
        }
    }

    [Fact]
    public void SegmentCutShort_Anywhere_IsRefused()
    {
        var test = Written(seed: 3);
        foreach (var bytes in new long[] { 0, 1, 4095, 4096, 8192, 9000, test.Options.SegmentBytes - 1 })
        {
            foreach (var name in Segments(test.Disk))
            {
                var disk = test.Disk.Clone();
                disk.Cut(name, bytes);
                TestJournal.Refused(disk, test.Options);
            }
        }
    }

    [Fact]
    public void SegmentHeader_AnyBitFlipped_IsRefused()
    {
        var test = Written(seed: 4);
        foreach (var name in Segments(test.Disk))
        {
            var content = test.Disk.Content(name);
            for (var offset = 0; offset < JournalFormat.BlockBytes; offset++)
            {
                content[offset] ^= (byte)(1 << (offset % 8));
                var fault = TestJournal.Refused(test.Disk, test.Options);
                Assert.Contains(name, fault.Message, StringComparison.Ordinal);
                content[offset] ^= (byte)(1 << (offset % 8));
            }
        }
    }

    [Fact]
    public void RecordHeader_AnyBitFlipped_IsRefusedWithItsPlace()
    {
        var test = Written(seed: 5);
        Assert.True(JournalLayout.TryRead(test.Disk, out var layout).IsNone);
        var places = new List<(string Name, long Offset)>();
        Assert.True(JournalScan.Run(test.Disk, layout.Segments, 0, Note, out _).IsNone);
        Assert.True(places.Count > 20);

        // The last two are marks, of the last flush and of the clean stop; they prove, and nothing proves them.
        foreach (var (name, offset) in places.SkipLast(2))
        {
            var content = test.Disk.Content(name);
            for (var bit = 0; bit < JournalFormat.RecordHeaderBytes * 8; bit += 3)
            {
                content[offset + (bit / 8)] ^= (byte)(1 << (bit % 8));
                var fault = JournalScan.Run(test.Disk, layout.Segments, 0, visit: null, out var tail);
                Assert.Equal(FaultCode.JournalDamaged, fault.Code);
                Assert.Equal(offset, tail.Offset);
                Assert.Contains($"memory/{name} at offset {offset}:", fault.Message, StringComparison.Ordinal);
                content[offset + (bit / 8)] ^= (byte)(1 << (bit % 8));
            }
        }

        bool Note(in ScannedRecord record)
        {
            places.Add((SegmentName.Of(record.Segment), record.Offset));
            return true;
        }
    }

    [Fact]
    public void Proof_AnyBitFlipped_IsRefused()
    {
        var test = Written(seed: 6);
        var content = test.Disk.Content(test.Newest());
        for (var bit = 0; bit < FlushProof.Bytes * 8; bit++)
        {
            content[JournalFormat.ProofOffset + (bit / 8)] ^= (byte)(1 << (bit % 8));
            var fault = TestJournal.Refused(test.Disk, test.Options);
            Assert.Contains("at offset 4096:", fault.Message, StringComparison.Ordinal);
            content[JournalFormat.ProofOffset + (bit / 8)] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Proof_OfAnotherSegment_IsRefused()
    {
        var test = Written(seed: 16);
        var other = test.Disk.Content(Segments(test.Disk)[0]).AsSpan(JournalFormat.ProofOffset, FlushProof.Bytes);
        other.CopyTo(test.Disk.Content(test.Newest()).AsSpan(JournalFormat.ProofOffset));
        TestJournal.Refused(test.Disk, test.Options);
    }

    [Fact]
    public void Segment_MissingInTheMiddle_IsRefusedByName()
    {
        var test = Written(seed: 7);
        var middle = Segments(test.Disk)[1];
        test.Disk.Delete(middle);
        var fault = TestJournal.Refused(test.Disk, test.Options);
        Assert.Contains($"{middle} is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Segment_MissingAtTheBeginning_IsRefused()
    {
        var test = Written(seed: 8);
        test.Disk.Delete(Segments(test.Disk)[0]);
        var fault = TestJournal.Refused(test.Disk, test.Options);
        Assert.Contains("those from 1 on are needed", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Segment_MissingAtTheEnd_IsRefusedByName(bool isReopened)
    {
        var test = Written(seed: 18);
        if (isReopened)
        {
            // As if whoever began the newest had died before the one before it said so.
            var before = Layout(test.Disk).Segments[^2];
            FlushProof.Of(before.Header).Write(
                test.Disk.Content(before.Name).AsSpan(JournalFormat.ProofOffset), before.Header.Seed);
            test.Open();
            test.Close();
            test.Disk.Crash(1);
        }

        var newest = test.Newest();
        test.Disk.Delete(newest);
        var fault = TestJournal.Refused(test.Disk, test.Options);
        Assert.Contains($"{newest} at offset 0: the file is missing", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Segment_BegunWhileAnotherReads_IsNotMissed()
    {
        var test = Written(seed: 19);
        var seen = Layout(test.Disk).Segments[..^1];
        var fault = JournalScan.Run(test.Disk, seen, 0, visit: null, out _);
        Assert.True(fault.IsNone, fault.Message);
    }

    [Fact]
    public void Segment_OfAnotherJournal_IsRefused()
    {
        var test = Written(seed: 9);
        var other = Written(seed: 10);
        var name = Segments(test.Disk)[1];
        other.Disk.Content(name).CopyTo(test.Disk.Content(name).AsSpan());
        var fault = TestJournal.Refused(test.Disk, test.Options);
        Assert.Contains("another journal", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Segment_UnderAWrongName_IsRefused()
    {
        var test = Written(seed: 11);
        test.Disk.Rename(Segments(test.Disk)[0], SegmentName.Of(77));
        Assert.Contains(
            "that of segment 1", TestJournal.Refused(test.Disk, test.Options).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Header_OfANewerVersion_IsRefusedAsSuch()
    {
        var test = Written(seed: 12);
        var content = test.Disk.Content(test.Newest());
        content[8] = 2;
        BitConverter.TryWriteBytes(content.AsSpan(4092), Crc32C.Of(content.AsSpan(0, 4092)));
        var fault = FileJournal.TryOpen(test.Disk, test.Options, out _);
        Assert.Equal(FaultCode.JournalVersion, fault.Code);
        Assert.Contains("format version 2", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void MisdirectedWrite_OfAFlushedRecord_IsRefused()
    {
        var test = new TestJournal(seed: 13);
        test.Open();
        test.Append(1, new byte[100]);
        test.Commit(sync: true);
        test.Disk.Misdirecting = (_, offset) => offset > JournalFormat.DataOffset ? offset + 4096 : offset;
        test.Append(1, new byte[100]);
        test.Commit(sync: true);
        test.Disk.Misdirecting = null;
        test.Append(1, new byte[100]);
        test.Commit(sync: true);
        test.Kill();
        TestJournal.Refused(test.Disk, test.Options);
    }

    [Fact]
    public void UnreadableSegment_IsNotTakenForAnEmptyOne()
    {
        var test = Written(seed: 14);
        var name = test.Newest();
        var reads = 0;
        test.Disk.Failing = (call, each) =>
            call == DiskCall.Read && each == name && reads++ > 0 ? JournalErrno.EIO : 0;
        Assert.Equal(FaultCode.JournalUnusable, FileJournal.TryOpen(test.Disk, test.Options, out _).Code);
    }

    /// <summary>A record with everything right but one link is not the next one.</summary>
    [Theory]
    [InlineData(0, 0, 0, true)]
    [InlineData(1, 0, 0, false)]
    [InlineData(0, 8, 0, false)]
    [InlineData(0, 0, 1, false)]
    public void Record_WithAWrongLink_IsNotTheNext(int sequence, int position, int previous, bool isNext)
    {
        var test = new TestJournal(seed: 17);
        test.Open();
        test.Kill();
        var layout = Layout(test.Disk);
        Assert.True(JournalScan.Run(test.Disk, layout.Segments, 0, visit: null, out var tail).IsNone);
        var record = test.Disk.Content(test.Newest()).AsSpan((int)tail.Offset, JournalFormat.RecordHeaderBytes);
        RecordHeader.Begin(record, kind: 1, 0, tail.Last.Sequence + 1 + (ulong)sequence);
        RecordHeader.Seal(
            record, layout.Newest.Seed, (ulong)(tail.Offset + position), tail.Last, tail.Last.Crc ^ (uint)previous);
        _ = JournalScan.Run(test.Disk, layout.Segments, 0, visit: null, out var after);
        Assert.Equal(isNext, after.Last.Sequence > tail.Last.Sequence);
    }

    [Fact]
    public void Payload_ThatLooksLikeARecord_IsNotTakenForOne()
    {
        // All that a stranger may know: place, sequence, and how a check is made, but not the journal's own number.
        var test = new TestJournal(seed: 15);
        test.Open();
        test.Commit(sync: true);
        test.Commit(sync: true);
        var offset = JournalFormat.DataOffset + JournalFormat.RecordBytes(16);
        var forged = new byte[JournalFormat.RecordHeaderBytes];
        RecordHeader.Begin(forged, JournalFormat.SyncedMark, 0, sequence: 3);
        RecordHeader.Seal(
            forged, 0, (ulong)(offset + JournalFormat.RecordHeaderBytes), synced: new(2, 0), previousCrc: 0);
        test.Append(1, forged);
        test.Commit(sync: false);
        test.Disk.Content(test.Newest())[offset] ^= 1;
        test.Journal.Dispose();
        Assert.True(FileJournal.TryOpen(test.Disk, test.Options, out var journal).IsNone);
        Assert.Equal(0, journal!.Recovered.RemainsCount);
    }

    /// <summary>Some segments, cleanly closed.</summary>
    private static TestJournal Written(ulong seed)
    {
        var test = new TestJournal(seed);
        test.Open();
        for (var record = 0; record < 30; record++)
        {
            test.Append((ushort)record, JournalConformance.Body(record * 50));
            test.Commit(sync: record % 3 == 0);
        }

        test.Close();
        test.Disk.Crash(seed);
        Assert.Equal(4, Segments(test.Disk).Length);
        return test;
    }

    private static void FillSegment(TestJournal test)
    {
        var room = CutBytes - JournalFormat.RecordBytes(16) - 64;
        for (var record = 1; room > 0; record++)
        {
            var length = Math.Min(record * 13 % 900, Math.Max(0, room - JournalFormat.RecordHeaderBytes));
            test.Append(1, JournalConformance.Body(length));
            room -= JournalFormat.RecordBytes(length);
        }
    }

    /// <summary>Where each record ends in the newest segment.</summary>
    private static List<long> Ends(TestJournal test)
    {
        var ends = new List<long>();
        Assert.True(JournalScan.Run(test.Disk, Layout(test.Disk).Segments, 0, Note, out _).IsNone);
        return ends;

        bool Note(in ScannedRecord record)
        {
            ends.Add(record.Offset + JournalFormat.RecordHeaderBytes + record.Header.BodyBytes);
            return true;
        }
    }

    private static JournalLayout Layout(MemoryDisk disk)
    {
        var fault = JournalLayout.TryRead(disk, out var layout);
        Assert.True(fault.IsNone, fault.Message);
        return layout;
    }

    private static string[] Segments(MemoryDisk disk) =>
        [.. disk.Names.Where(name => SegmentName.TryParse(name, out _))];
}
