// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Plm.Facts;

namespace Muster.Plm.Spill;

/// <summary>
/// The body of an extent's file while it is made: a <see cref="SpillRun"/> for each run of a session's tasks, then a
/// <see cref="SpillRecord"/> for each task. Used again for the next one. Used inside turns only.
/// </summary>
internal sealed class SpillBody
{
    private readonly FactWriter _runs = new();
    private readonly FactWriter _records = new();
    private readonly List<ProfileRow> _profiles = [];
    private byte[] _bytes = [];
    private SpillRun _run;

    /// <summary>Tasks so far.</summary>
    public int Count { get; private set; }

    /// <summary>When the first of them expires, or its time is over; 0: none does.</summary>
    public ulong DueUnixMs { get; private set; }

    /// <summary>Bytes of the runs, once <see cref="Finish"/> was called.</summary>
    public int RunBytes { get; private set; }

    public int Bytes => _records.Length;

    public void Clear()
    {
        _runs.Clear();
        _records.Clear();
        _profiles.Clear();
        _run = default;
        Count = 0;
        DueUnixMs = 0;
        RunBytes = 0;
    }

    /// <summary>Adds a task. The number of its profile is set here, and the first that has it takes it along.</summary>
    public void Add(SpillRecord record, in ProfileRow profile)
    {
        record.Profile = NumberOf(profile, out var isNew);
        if (SpillRun.IsWantedFor(record) && _run.Count > 0 && _run.IsFollowedBy(record))
        {
            _run = _run with { Count = _run.Count + 1 };
        }
        else
        {
            EndRun();
            _run = SpillRun.IsWantedFor(record)
                ? new(record.Client, record.Session, record.Ref, record.Place, 1, record.Owner)
                : default;
        }

        NoteDue(record.DueUnixMs);
        NoteDue(profile.TotalTimeoutMs == 0 ? 0 : ((ulong)record.SubmittedUnixUs / 1_000) + profile.TotalTimeoutMs);

        Count++;
        record.Write(_records, isNew ? MemoryMarshal.AsBytes(new ReadOnlySpan<ProfileRow>(in profile)) : default);
    }

    /// <summary>The whole body; valid until the next use.</summary>
    public ReadOnlySpan<byte> Finish()
    {
        EndRun();
        RunBytes = _runs.Length;
        var length = RunBytes + _records.Length;
        if (_bytes.Length < length)
        {
            _bytes = new byte[Math.Max(length, 2 * _bytes.Length)];
        }

        _runs.Written.CopyTo(_bytes);
        _records.Written.CopyTo(_bytes.AsSpan(RunBytes));
        return _bytes.AsSpan(0, length);
    }

    /// <summary>Hands out the runs at the front of a body.</summary>
    public static void ReadRuns(ReadOnlySpan<byte> runs, Action<SpillRun> take)
    {
        var reader = new FactReader(runs);
        while (!reader.IsEmpty)
        {
            take(SpillRun.Read(ref reader));
        }
    }

    private void NoteDue(ulong unixMs)
    {
        if (unixMs != 0 && (DueUnixMs == 0 || unixMs < DueUnixMs))
        {
            DueUnixMs = unixMs;
        }
    }

    // Most bodies have one.
    private uint NumberOf(in ProfileRow profile, out bool isNew)
    {
        var known = CollectionsMarshal.AsSpan(_profiles);
        for (var at = known.Length - 1; at >= 0; at--)
        {
            if (known[at].HasSameBytes(profile))
            {
                isNew = false;
                return (uint)at;
            }
        }

        isNew = true;
        _profiles.Add(profile);
        return (uint)known.Length;
    }

    private void EndRun()
    {
        if (_run.Count > 0)
        {
            _run.Write(_runs);
            _run = default;
        }

        Invariant.That(!_runs.IsOpen);
    }
}
