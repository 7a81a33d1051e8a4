// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Journal;
using Muster.Shared.Journal;
using Xunit;

namespace Muster.Unit.Journal;

/// <summary>
/// A journal on a disk in memory beside the list of what it must give back: every record that it said was safe, then a
/// prefix of the others, and nothing else.
/// </summary>
internal sealed class TestJournal
{
    private readonly SplitMix _random;
    private List<JournalConformance.Entry> _expected = [];
    private FileJournal? _journal;
    private ulong _synced;
    private ulong _forgotten;

    public TestJournal(ulong seed, long segmentBytes = JournalLimits.SegmentBytesMin)
    {
        _random = new(seed);
        Options = new()
        {
            SegmentBytes = segmentBytes,
            PendingBytesMax = 64 * 1024,
            UnixUs = () => NowUs,
            NextRandom = () => _random.Next(),
        };
    }

    public MemoryDisk Disk { get; set; } = new();

    public JournalOptions Options { get; set; }

    public long NowUs { get; set; } = 1_700_000_000_000_000;

    public FileJournal Journal => _journal!;

    public IReadOnlyList<JournalConformance.Entry> Expected => _expected;

    public void Open()
    {
        var fault = TryOpen();
        Assert.True(fault.IsNone, fault.Message);
    }

    /// <summary>Opens, and checks what is there against what was said.</summary>
    public Fault TryOpen()
    {
        var fault = FileJournal.TryOpen(Disk, Options, out _journal);
        var replayed = new List<JournalConformance.Entry>();
        fault = fault.IsNone
            ? _journal!.Replay((in JournalRecord record) => replayed.Add(
                JournalConformance.Entry.Of(record.Sequence, record.Kind, record.Body)))
            : fault;
        if (!fault.IsNone)
        {
            return fault;
        }

        var needed = _expected.Where(entry => entry.Sequence >= _forgotten).ToList();
        var found = replayed.Where(entry => entry.Sequence >= _forgotten).ToList();
        Assert.Equal(needed.Take(found.Count), found);
        Assert.All(needed.Skip(found.Count), entry => Assert.True(entry.Sequence > _synced, "a synced record is lost"));

        // What was forgotten may be there still, or not; it was appended in any case.
        Assert.Empty(replayed.Where(entry => entry.Sequence < _forgotten).Except(_expected));
        _expected = [.. _expected.Where(entry => entry.Sequence < _forgotten), .. found];
        Assert.True(_journal!.AppendedSequence >= _synced);
        return Fault.None;
    }

    public void Append(ushort kind, ReadOnlySpan<byte> body) =>
        _expected.Add(JournalConformance.Append(_journal!, kind, body));

    public void Commit(bool sync)
    {
        var position = _journal!.Commit(sync);
        Assert.True(position.Synced >= _synced);
        _synced = position.Synced;
    }

    /// <summary>Forgets a part of what is safe; int.MaxValue all but the last record.</summary>
    public void Forget(int part)
    {
        var safe = _expected.Where(entry => entry.Sequence <= _synced && entry.Sequence >= _forgotten).ToList();
        if (safe.Count > 0)
        {
            _forgotten = safe[part == int.MaxValue ? safe.Count - 1 : part % safe.Count].Sequence;
            _journal!.ForgetBefore(_forgotten);
        }
    }

    public void Close()
    {
        _journal!.Close();
        _synced = _journal.SyncedSequence;
        _journal.Dispose();
    }

    /// <summary>The process dies: all that was written is there.</summary>
    public void Kill()
    {
        _synced = _journal!.WrittenSequence;
        _journal.Dispose();
        Disk.Kill();
    }

    /// <summary>The power fails.</summary>
    public void Crash(ulong seed)
    {
        _journal?.Dispose();
        Disk.Crash(seed);
    }

    /// <summary>The name of the newest segment.</summary>
    public string Newest() => Disk.Names.Last(name => SegmentName.TryParse(name, out _));

    /// <summary>Opening must be refused, with the file's name and an offset.</summary>
    public static Fault Refused(MemoryDisk disk, JournalOptions options)
    {
        var fault = FileJournal.TryOpen(disk, options, out var journal);
        if (fault.IsNone)
        {
            fault = journal!.Replay((in JournalRecord _) => { });
        }

        Assert.Equal(FaultCode.JournalDamaged, fault.Code);
        Assert.Contains("memory/", fault.Message, StringComparison.Ordinal);
        Assert.Contains("at offset ", fault.Message, StringComparison.Ordinal);
        Assert.Contains("muster journal repair", fault.Message, StringComparison.Ordinal);
        return fault;
    }
}
