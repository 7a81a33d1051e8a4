// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using Muster.Core;
using Muster.Journal;
using Muster.Server.Journal;
using Muster.Shared.Journal;

namespace Muster.Load;

/// <summary>Makes a journal, damages it, opens it, and judges.</summary>
internal sealed class CorruptTrial(ulong seed, string? folder)
{
    private readonly SplitMix _random = new(seed ^ 0xC0DE);
    private readonly CorruptJournal _journal = new(seed);

    public int Kind { get; private set; }

    public CorruptEnding Ending => _journal.Ending;

    /// <summary>For the reader of a failure.</summary>
    public string Story { get; private set; } = "";

    public CorruptVerdict Run()
    {
        try
        {
            _journal.Live();
            var before = CorruptJournal.Segments(_journal.Disk);
            var records = Records(_journal.Disk);
            Kind = _random.Below(CorruptDamage.Kinds);
            CorruptDamage.Inflict(Kind, _journal, _random);
            var after = CorruptJournal.Segments(_journal.Disk);
            return folder is null ? Judge(_journal.Disk, before, after, records) : OnDisk(before, after, records);
        }
        catch (Exception failure)
        {
            // Any at all: a damaged journal must never end the program.
            Story = failure.ToString();
            return CorruptVerdict.Crashed;
        }
    }

    private CorruptVerdict OnDisk(
        Dictionary<string, byte[]> before, Dictionary<string, byte[]> after, List<RecordPlace> records)
    {
        var path = Path.Combine(folder!, seed.ToString(null, null));
        var fault = DiskFolder.TryOpen(path, out var disk);
        if (!fault.IsNone)
        {
            throw new IOException(fault.Message);
        }

        using (disk)
        {
            foreach (var name in _journal.Disk.Names)
            {
                File.WriteAllBytes(Path.Combine(path, name), _journal.Disk.Content(name));
            }

            var verdict = Judge(disk!, before, after, records);
            Directory.Delete(path, recursive: true);
            return verdict;
        }
    }

    private CorruptVerdict Judge(
        IJournalDisk disk,
        Dictionary<string, byte[]> before,
        Dictionary<string, byte[]> after,
        List<RecordPlace> records)
    {
        var fault = Replay(disk, out var replayed);
        if (!fault.IsNone)
        {
            Story = fault.Message;
            var isNamed = fault.Message.Contains(".segment", StringComparison.Ordinal)
                && (fault.Code == FaultCode.JournalVersion
                    || fault.Message.Contains(" at offset ", StringComparison.Ordinal));
            return fault.Code is FaultCode.JournalDamaged or FaultCode.JournalVersion && isNamed
                ? CorruptVerdict.Detected
                : CorruptVerdict.Undetected;
        }

        var found = replayed.FindAll(entry => entry.Sequence >= _journal.LiveFrom);
        var same = found.Zip(_journal.Appended).TakeWhile(pair => pair.First == pair.Second).Count();
        if (found.Skip(same).Any(entry => !_journal.WasAppended(entry)))
        {
            Story = "what was replayed was never appended";
            return CorruptVerdict.Undetected;
        }

        var lost = _journal.Appended.Skip(same).FirstOrDefault();
        if (same == found.Count && (lost.Sequence == 0 || lost.Sequence > _journal.Synced))
        {
            return CorruptVerdict.Harmless;
        }

        // Records that a power loss had cut may be back with a stale block, in place of others or of none.
        var first = same < found.Count ? found[same].Sequence : lost.Sequence;
        Story = $"from record {first} on it is not what was flushed";
        return IsProvable(first, before, after, records) ? CorruptVerdict.Undetected : CorruptVerdict.Unproven;
    }

    /// <summary>
    /// Replays, goes on writing, and replays once more: what is accepted now must not disappear because of what was.
    /// </summary>
    private Fault Replay(IJournalDisk disk, out List<CorruptJournal.Entry> replayed)
    {
        replayed = [];
        var fault = Replay(disk, replayed, out var journal);
        if (!fault.IsNone)
        {
            return fault;
        }

        var added = CorruptJournal.Entry.Of(journal!.Append(1, "more"u8), "more"u8);
        journal.Close();
        journal.Dispose();
        var again = new List<CorruptJournal.Entry>();
        fault = Replay(disk, again, out journal);
        journal?.Dispose();
        return !fault.IsNone || !again.SequenceEqual([.. replayed, added])
            ? new(FaultCode.InvalidArgument, $"after opening it, it changed: {fault.Message}")
            : Fault.None;
    }

    private Fault Replay(IJournalDisk disk, List<CorruptJournal.Entry> replayed, out FileJournal? journal)
    {
        var fault = FileJournal.TryOpen(disk, _journal.Options, out journal);
        return fault.IsNone
            ? journal!.Replay((in JournalRecord record) => replayed.Add(
                CorruptJournal.Entry.Of(record.Sequence, record.Body)))
            : fault;
    }

    /// <summary>Whether anything that the damage did not touch says that a record had been flushed.</summary>
    private static bool IsProvable(
        ulong sequence, Dictionary<string, byte[]> before, Dictionary<string, byte[]> after, List<RecordPlace> records)
    {
        var newest = after.Keys.Max(StringComparer.Ordinal)!;
        if (SegmentHeader.Read(before[newest]).FirstSequence > sequence)
        {
            return true;
        }

        return records.Any(record => record.Synced >= sequence && IsIntact(record.Name, record.Offset, record.Bytes))
            || (ProofOf(before[newest]) >= sequence
                && IsIntact(newest, JournalFormat.ProofOffset, FlushProof.Bytes));

        bool IsIntact(string name, int offset, int bytes) =>
            after[name].Length >= offset + bytes
            && before[name].AsSpan(offset, bytes).SequenceEqual(after[name].AsSpan(offset, bytes));
    }

    private static ulong ProofOf(byte[] segment)
    {
        var header = SegmentHeader.Read(segment);
        var bytes = segment.AsSpan(JournalFormat.ProofOffset);
        return FlushProof.TryRead(bytes, header, out var proof) ? proof.Synced : 0;
    }

    /// <summary>Where each record is in the undamaged journal.</summary>
    private static List<RecordPlace> Records(MemoryDisk disk)
    {
        var records = new List<RecordPlace>();
        var fault = JournalLayout.TryRead(disk, out var layout);
        fault = fault.IsNone ? JournalScan.Run(disk, layout.Segments, 0, Note, out _) : fault;
        return fault.IsNone ? records : throw new UnreachableException(fault.Message);

        bool Note(in ScannedRecord record)
        {
            records.Add(new(
                SegmentName.Of(record.Segment),
                (int)record.Offset,
                JournalFormat.RecordHeaderBytes + (int)record.Header.BodyBytes,
                record.Header.Sequence,
                record.Header.Synced));
            return true;
        }
    }

    private readonly record struct RecordPlace(string Name, int Offset, int Bytes, ulong Sequence, ulong Synced);
}
