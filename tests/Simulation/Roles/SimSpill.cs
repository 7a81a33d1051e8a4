// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;
using Muster.Plm.Spill;
using Muster.Server.Spill;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Roles;

/// <summary>
/// The PLM's thread "spill" as events: the real files on a simulated disk, one order at a time, each after a while.
/// What was under way when the process died is there whole, half, or not at all.
/// </summary>
internal sealed class SimSpill(World world, PlmProcess host, SpillFiles files) : IPlmSpill
{
    private const int WritesMax = 3;
    private const long FullPauseUs = 250_000;

    private readonly Queue<Action> _orders = new();
    private readonly List<(uint Extent, ulong Generation, byte[] Body)> _writing = [];
    private readonly Dictionary<(uint Extent, ulong Generation), byte[]?> _ahead = [];
    private byte[] _buffer = [];
    private bool _isBusy;
    private bool _isStarted;

    public bool HasRoom => _writing.Count < WritesMax;

    public Fault Refusal { get; private set; }

    /// <summary>The takeover is over.</summary>
    public void Start() => _isStarted = true;

    public void Write(uint extent, ulong generation, ReadOnlySpan<byte> body)
    {
        var write = (extent, generation, body.ToArray());
        _writing.Add(write);
        Order(() => Write(write));
    }

    public Fault WriteNow(uint extent, ulong generation, ReadOnlySpan<byte> body) =>
        files.Write(extent, generation, body) == 0 ? Fault.None : new(FaultCode.DiskFull, "the disk is full", 1_000);

    public void Prefetch(uint extent, ulong generation) => Ask(extent, generation);

    public bool TryRead(uint extent, ulong generation, out ReadOnlySpan<byte> body)
    {
        body = default;
        if (_ahead.TryGetValue((extent, generation), out var read) && read is not null)
        {
            _ahead.Remove((extent, generation));
            body = read;
            return true;
        }

        Ask(extent, generation);
        return false;
    }

    public ReadOnlySpan<byte> ReadNow(uint extent, ulong generation)
    {
        var length = files.Read(extent, generation, ref _buffer);
        return _buffer.AsSpan(0, length);
    }

    public ReadOnlySpan<byte> ReadStart(uint extent, ulong generation, int bytes)
    {
        var start = new byte[bytes];
        files.ReadStart(extent, generation, start);
        return start;
    }

    public void Forget(uint extent, ulong generation)
    {
        _ahead.Remove((extent, generation));
        if (_isStarted)
        {
            Order(() => files.Delete(extent, generation));
        }
        else
        {
            files.Delete(extent, generation);
        }
    }

    public void KeepOnly(Func<uint, ulong, bool> isWanted) => files.KeepOnly(isWanted);

    /// <summary>The process died.</summary>
    public void Die()
    {
        foreach (var (extent, generation, body) in _writing)
        {
            if (world.Random.Chance(500))
            {
                _ = files.Write(extent, generation, body.AsSpan(0, world.Random.Below(body.Length + 1)));
            }
        }
    }

    private void Ask(uint extent, ulong generation)
    {
        if (_ahead.TryAdd((extent, generation), null))
        {
            Order(() => Read(extent, generation));
        }
    }

    private void Write((uint Extent, ulong Generation, byte[] Body) write)
    {
        var isWritten = files.Write(write.Extent, write.Generation, write.Body) == 0;
        _writing.Remove(write);
        Refusal = isWritten ? Fault.None : new(FaultCode.DiskFull, "the disk is full", 1_000);
        host.TryTurn((core, _) => core.SpillWritten(write.Extent, write.Generation, isWritten));
    }

    private void Read(uint extent, ulong generation)
    {
        if (!_ahead.ContainsKey((extent, generation)))
        {
            return;
        }

        var body = Array.Empty<byte>();
        var length = files.Read(extent, generation, ref body);
        _ahead[(extent, generation)] = body[..length];
        host.TryTurn((_, _) => { });
    }

    private void Order(Action act)
    {
        _orders.Enqueue(act);
        WorkSoon();
    }

    private void WorkSoon()
    {
        if (_isBusy || _orders.Count == 0)
        {
            return;
        }

        _isBusy = true;
        var pauseUs = Refusal.IsNone ? 0 : FullPauseUs;
        host.After(pauseUs + world.Random.Skewed(20, 20_000), () =>
        {
            _isBusy = false;
            _orders.Dequeue()();
            WorkSoon();
        });
    }
}
