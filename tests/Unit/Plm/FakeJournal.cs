// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;
using Muster.Plm.Facts;

namespace Muster.Unit.Plm;

/// <summary>A journal in memory; the test says what has reached the disk.</summary>
internal sealed class FakeJournal : IPlmJournal
{
    private readonly List<(ulong Sequence, ushort Kind, byte[] Body)> _records = [];
    private bool _isBehind;
    private bool _isOverrun;

    public ulong Lineage { get; set; } = 77;

    public Fault Refusal { get; set; }

    public ulong LastSequence { get; private set; }

    public bool WantsSnapshot { get; set; }

    public bool IsBehind
    {
        get => _isBehind || PendingBytes > BehindBytes;
        set => _isBehind = value;
    }

    public bool IsOverrun
    {
        get => _isOverrun || PendingBytes > OverrunBytes;
        set => _isOverrun = value;
    }

    /// <summary>From how many bytes that were not synced it calls itself behind.</summary>
    public long BehindBytes { get; set; } = long.MaxValue;

    /// <summary>The same for overrun.</summary>
    public long OverrunBytes { get; set; } = long.MaxValue;

    public long PendingBytes =>
        _records.Where(record => record.Sequence > Synced).Sum(record => (long)record.Body.Length);

    public int LargestBody { get; private set; }

    /// <summary>What a power loss leaves.</summary>
    public ulong Synced { get; set; }

    public ulong Forgotten { get; private set; }

    public IEnumerable<string> Texts
    {
        get
        {
            foreach (var (_, kind, body) in _records)
            {
                yield return FactText.Describe(kind, body);
            }
        }
    }

    public ulong Append(ushort kind, ReadOnlySpan<byte> body)
    {
        // As the real one does.
        ArgumentOutOfRangeException.ThrowIfGreaterThan(body.Length, JournalLimits.BodyBytesMax);
        LargestBody = Math.Max(LargestBody, body.Length);

        // A journal numbers marks of its own too.
        LastSequence += 2;
        _records.Add((LastSequence, kind, body.ToArray()));
        return LastSequence;
    }

    public Fault Replay(FactVisitor visit)
    {
        foreach (var (_, kind, body) in _records)
        {
            if (!visit(kind, body))
            {
                break;
            }
        }

        return Fault.None;
    }

    public void ForgetBefore(ulong sequence)
    {
        Forgotten = sequence;
        _records.RemoveAll(record => record.Sequence < sequence);
    }

    /// <summary>Another one that holds the same.</summary>
    public FakeJournal Copy()
    {
        var copy = new FakeJournal { LastSequence = LastSequence, Synced = Synced };
        copy._records.AddRange(_records);
        return copy;
    }

    /// <summary>What was appended and not synced is gone.</summary>
    public void LosePower()
    {
        _records.RemoveAll(record => record.Sequence > Synced);
        LastSequence = Synced;
    }
}
