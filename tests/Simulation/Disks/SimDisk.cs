// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Muster.Checking;
using Muster.Journal;
using Muster.Shared.Journal;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Disks;

/// <summary>
/// The cell's disk: forgets what was not flushed when the power goes, fails and fills up when it is told to, and can be
/// damaged while nobody looks.
/// </summary>
internal sealed class SimDisk
{
    /// <summary>Room while the disk is full: the segments that there are, and no other.</summary>
    private const long FullBytes = 1;

    private readonly World _world;
    private bool _isProven;
    private int _failingCalls;
    private int _callsToPowerLoss;
    private (string Name, long Offset, byte Bits)? _damage;

    public SimDisk(World world)
    {
        _world = world;
        Disk = new MemoryDisk { Failing = Ask };
    }

    public MemoryDisk Disk { get; }

    /// <summary>A damaged byte lies there that nobody has noticed.</summary>
    public bool IsDamaged => _damage is not null;

    /// <summary>The next so many writes and flushes fail.</summary>
    public void FailCalls(int calls) => _failingCalls = calls;

    /// <summary>The power goes before the so-manyth call from now.</summary>
    public void DoomPower(int calls) => _callsToPowerLoss = calls;

    public bool IsFull => Disk.CapacityBytes == FullBytes;

    public void SetFull(bool isFull) => Disk.CapacityBytes = isFull ? FullBytes : long.MaxValue;

    public void Heal()
    {
        _failingCalls = 0;
        _callsToPowerLoss = 0;
        SetFull(false);
    }

    public void LosePower()
    {
        _callsToPowerLoss = 0;
        Repair();
        _isProven = false;
        Disk.Crash(_world.Random.Next64());
    }

    /// <summary>The journal was opened: what it holds now is proven by marks that no power loss took along.</summary>
    public void Opened() => _isProven = true;

    /// <summary>
    /// Flips a bit somewhere in the segments. Not right after a power loss: damage to a last record whose mark was lost
    /// cannot be told from an unfinished write.
    /// </summary>
    public void Damage()
    {
        if (!_isProven)
        {
            return;
        }

        var names = Disk.Names
            .Where(static name => name.EndsWith(".segment", System.StringComparison.Ordinal))
            .ToArray();
        if (names.Length == 0 || _damage is not null)
        {
            return;
        }

        var name = names[_world.Random.Below(names.Length)];
        var content = Disk.Content(name);
        if (content.Length == 0)
        {
            return;
        }

        // Most of a segment is empty; where it is written is where it matters.
        var offset = _world.Random.Skewed(1, content.Length - 1);
        var bits = (byte)(1 << _world.Random.Below(8));
        content[offset] ^= bits;
        _damage = (name, offset, bits);
        _world.Trace.Add(TraceMark.Disk, -1, (ulong)offset, bits);
    }

    /// <summary>Somebody puts the byte right again, as from a copy.</summary>
    public void Repair()
    {
        if (_damage is { } damage && Disk.Names.Contains(damage.Name))
        {
            Disk.Content(damage.Name)[damage.Offset] ^= damage.Bits;
        }

        _damage = null;
    }

    /// <summary>Writes down what a reader of its own finds in the journal.</summary>
    public void RecordContent()
    {
        if (IsDamaged)
        {
            // It would stop at the damage, as the server does.
            return;
        }

        var segments = new List<byte[]>();
        foreach (var name in Disk.Names)
        {
            if (name.EndsWith(".segment", System.StringComparison.Ordinal))
            {
                segments.Add(Disk.Content(name));
            }
        }

        foreach (var (task, facts) in JournalBytes.Read(segments))
        {
            _world.Record(
                new(_world.NowUs, "reader", HistoryOp.InJournal, task, Detail: (ulong)facts), -1);
        }

        _world.Record(new(_world.NowUs, "reader", HistoryOp.JournalRead), -1);
    }

    private int Ask(DiskCall call, string name)
    {
        if (_callsToPowerLoss > 0 && --_callsToPowerLoss == 0)
        {
            throw new PowerWent();
        }

        if (_failingCalls > 0 && call is DiskCall.Write or DiskCall.Sync)
        {
            _failingCalls--;
            return JournalErrno.EIO;
        }

        return 0;
    }
}
