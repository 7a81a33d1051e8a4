// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Plm;
using Muster.Plm.Spill;

namespace Muster.Unit.Plm;

/// <summary>Files in memory that outlive the PLM; the test says when what was asked for is done.</summary>
internal sealed class FakeSpill : IPlmSpill
{
    private readonly Dictionary<(uint Extent, ulong Generation), byte[]> _files = [];
    private readonly Queue<(uint Extent, ulong Generation, byte[] Body)> _writes = new();
    private readonly HashSet<(uint Extent, ulong Generation)> _asked = [];
    private readonly HashSet<(uint Extent, ulong Generation)> _read = [];

    public bool HasRoom => _writes.Count < 4;

    public Fault Refusal { get; private set; }

    /// <summary>Writes fail.</summary>
    public bool IsFull { get; set; }

    public int Files => _files.Count;

    public long Written { get; private set; }

    public void Write(uint extent, ulong generation, ReadOnlySpan<byte> body) =>
        _writes.Enqueue((extent, generation, body.ToArray()));

    public Fault WriteNow(uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        _files[(extent, generation)] = body.ToArray();
        return Fault.None;
    }

    public void Prefetch(uint extent, ulong generation) => _asked.Add((extent, generation));

    public bool TryRead(uint extent, ulong generation, out ReadOnlySpan<byte> body)
    {
        if (_read.Remove((extent, generation)))
        {
            body = _files[(extent, generation)];
            return true;
        }

        _asked.Add((extent, generation));
        body = default;
        return false;
    }

    public ReadOnlySpan<byte> ReadNow(uint extent, ulong generation) => _files[(extent, generation)];

    public ReadOnlySpan<byte> ReadStart(uint extent, ulong generation, int bytes) =>
        _files[(extent, generation)].AsSpan(0, bytes);

    public void Forget(uint extent, ulong generation)
    {
        _asked.Remove((extent, generation));
        _read.Remove((extent, generation));
        _files.Remove((extent, generation));
    }

    public void KeepOnly(Func<uint, ulong, bool> isWanted)
    {
        foreach (var name in _files.Keys.Where(name => !isWanted(name.Extent, name.Generation)).ToList())
        {
            _files.Remove(name);
        }
    }

    /// <summary>Some of what was asked for is done; the core hears of it in the turn.</summary>
    public void Work(PlmCore core, int writes = int.MaxValue)
    {
        _read.UnionWith(_asked.Where(_files.ContainsKey));
        _asked.Clear();
        for (; writes > 0 && _writes.TryDequeue(out var write); writes--)
        {
            if (!IsFull)
            {
                _files[(write.Extent, write.Generation)] = write.Body;
                Written++;
            }

            Refusal = IsFull ? new Fault(FaultCode.DiskFull, "the disk is full", 1_000) : Fault.None;
            core.SpillWritten(write.Extent, write.Generation, !IsFull);
        }
    }

    /// <summary>The process died: of what was under way some is there, some half, and nobody was told.</summary>
    public void Die(Random random)
    {
        foreach (var (extent, generation, body) in _writes)
        {
            if (random.Next(2) == 0)
            {
                _files[(extent, generation)] = body[..random.Next(body.Length + 1)];
            }
        }

        _writes.Clear();
        _asked.Clear();
        _read.Clear();
    }

    /// <summary>Everything is gone, as the arena is.</summary>
    public void LoseArena()
    {
        _writes.Clear();
        _asked.Clear();
        _read.Clear();
    }
}
