// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Journal;
using Muster.Shared.Journal;

namespace Muster.Load;

/// <summary>
/// One small journal that lived for a while, and the list of what was appended to it. All follows from the seed.
/// </summary>
internal sealed class CorruptJournal
{
    private readonly SplitMix _random;
    private readonly List<Entry> _appended = [];
    private readonly HashSet<Entry> _ever = [];
    private FileJournal? _journal;

    public CorruptJournal(ulong seed)
    {
        _random = new(seed);
        Options = new()
        {
            SegmentBytes = JournalLimits.SegmentBytesMin << _random.Below(2),
            UnixUs = () => 1_700_000_000_000_000,
            NextRandom = _random.Next,
        };
        Ending = (CorruptEnding)_random.Below(Enum.GetValues<CorruptEnding>().Length);
    }

    public JournalOptions Options { get; }

    public CorruptEnding Ending { get; }

    public MemoryDisk Disk { get; } = new();

    /// <summary>What a replay must give: all up to <see cref="Synced"/>, then perhaps more, in this order.</summary>
    public IReadOnlyList<Entry> Appended => _appended;

    /// <summary>Whether it was appended in any life, also one that a power loss cut.</summary>
    public bool WasAppended(in Entry entry) => _ever.Contains(entry);

    /// <summary>The last sequence that was said to be flushed.</summary>
    public ulong Synced { get; private set; }

    /// <summary>The first sequence that is needed.</summary>
    public ulong LiveFrom { get; private set; } = 1;

    /// <summary>The segments as they were at some moment before the end, for blocks to be put back from.</summary>
    public Dictionary<string, byte[]> Earlier { get; private set; } = [];

    /// <summary>Lives its life: appends, commits, power losses, housekeeping, and the end.</summary>
    public void Live()
    {
        Open();
        var steps = 5 + _random.Below(60);
        var moment = _random.Below(steps);
        for (var step = 0; step < steps; step++)
        {
            if (step == moment)
            {
                Earlier = Segments(Disk);
            }

            Step();
        }

        End();
    }

    /// <summary>Copies of all segments of a disk.</summary>
    public static Dictionary<string, byte[]> Segments(MemoryDisk disk) => disk.Names
        .Where(name => SegmentName.TryParse(name, out _))
        .ToDictionary(name => name, name => (byte[])disk.Content(name).Clone(), StringComparer.Ordinal);

    private void Step()
    {
        switch (_random.Below(20))
        {
            case < 11:
                Append();
                break;
            case < 14:
                Commit(sync: false);
                break;
            case < 17:
                Commit(sync: true);
                break;
            case 17:
                _journal!.Maintain();
                break;
            case 18:
                Forget();
                break;
            default:
                _journal!.Dispose();
                Disk.Crash(_random.Next());
                Open();
                break;
        }
    }

    private void Open()
    {
        var fault = FileJournal.TryOpen(Disk, Options, out _journal);
        if (!fault.IsNone)
        {
            throw new InvalidOperationException($"an undamaged journal was refused: {fault.Message}");
        }

        var last = _journal!.Recovered.Last.Sequence;
        if (last < Synced)
        {
            throw new InvalidOperationException($"record {Synced} was flushed, and {last} is the last");
        }

        _appended.RemoveAll(entry => entry.Sequence > last);
    }

    private void Append()
    {
        var body = new byte[_random.OneIn(10) ? _random.Below(6_000) : _random.Below(300)];
        _random.Fill(body);
        _appended.Add(Entry.Of(_journal!.Append(1, body), body));
        _ever.Add(_appended[^1]);
    }

    private void Commit(bool sync) => Synced = _journal!.Commit(sync).Synced;

    private void Forget()
    {
        var safe = _appended.FindAll(entry => entry.Sequence <= Synced && entry.Sequence >= LiveFrom);
        if (safe.Count > 0)
        {
            LiveFrom = safe[_random.Below(safe.Count)].Sequence;
            _journal!.ForgetBefore(LiveFrom);
        }
    }

    private void End()
    {
        switch (Ending)
        {
            case CorruptEnding.Closed:
                _journal!.Close();
                Synced = _journal.SyncedSequence;
                break;
            case CorruptEnding.Idle:
                Commit(sync: true);
                Commit(sync: true);
                break;
            case CorruptEnding.PowerLost:
                Append();
                Commit(sync: true);
                Append();
                Append();
                Commit(sync: false);
                break;
            default:
                Append();
                Commit(sync: true);
                break;
        }

        _journal!.Dispose();
        if (Ending == CorruptEnding.Killed)
        {
            Disk.Kill();
        }
        else
        {
            Disk.Crash(_random.Next());
        }

        _appended.RemoveAll(entry => entry.Sequence < LiveFrom);
    }

    /// <summary>A record, its body by length and check.</summary>
    internal readonly record struct Entry(ulong Sequence, int Bytes, uint Check)
    {
        public static Entry Of(ulong sequence, ReadOnlySpan<byte> body) =>
            new(sequence, body.Length, Crc32C.Of(body, seed: 1));
    }
}
