// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;

namespace Muster.Shared.Journal;

/// <summary>
/// The content of one file of a <see cref="MemoryDisk"/>: what the system would read, and what a power loss leaves.
/// </summary>
internal sealed class MemoryFile
{
    public const int SectorBytes = 512;

    private byte[] _current = [];
    private byte[] _durable = [];
    private BitArray _dirty = new(0);

    public long Length => _current.Length;

    public byte[] Content => _current;

    public MemoryFile Clone() => new()
    {
        _current = (byte[])_current.Clone(),
        _durable = (byte[])_durable.Clone(),
        _dirty = new(_dirty),
    };

    public void Resize(long bytes)
    {
        Array.Resize(ref _current, (int)bytes);
        _dirty.Length = (_current.Length + SectorBytes - 1) / SectorBytes;
    }

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return;
        }

        if (offset + bytes.Length > _current.Length)
        {
            Resize(offset + bytes.Length);
        }

        bytes.CopyTo(_current.AsSpan((int)offset));
        var last = (int)((offset + bytes.Length - 1) / SectorBytes);
        for (var sector = (int)(offset / SectorBytes); sector <= last; sector++)
        {
            _dirty[sector] = true;
        }
    }

    public int Read(long offset, Span<byte> into)
    {
        var count = (int)Math.Clamp(_current.Length - offset, 0, into.Length);
        if (count > 0)
        {
            _current.AsSpan((int)offset, count).CopyTo(into);
        }

        return count;
    }

    public void Sync()
    {
        if (_durable.Length != _current.Length)
        {
            Array.Resize(ref _durable, _current.Length);
        }

        for (var sector = 0; sector < _dirty.Length; sector++)
        {
            if (_dirty[sector])
            {
                CopySector(_current, _durable, sector);
            }
        }

        _dirty.SetAll(false);
    }

    /// <summary>
    /// What Linux does when a flush fails: the pages count as clean, are still read, and are never written.
    /// </summary>
    public void ForgetUnsynced() => _dirty.SetAll(false);

    /// <summary>Makes the content, however it came to be so, what a power loss leaves.</summary>
    public void Settle()
    {
        _durable = (byte[])_current.Clone();
        _dirty.SetAll(false);
    }

    /// <summary>Power loss: each sector that was not flushed is kept or not, by a policy that is drawn first.</summary>
    public void Crash(SplitMix random)
    {
        var policy = random.Below(4);
        var cut = random.Below(Math.Max(1, _dirty.Length));
        if (_durable.Length != _current.Length && policy != 0)
        {
            Array.Resize(ref _durable, _current.Length);
        }

        for (var sector = 0; sector < _dirty.Length; sector++)
        {
            // Nothing, everything, a random half, or the first part, as disks write in any order but often in this one.
            var survives = policy switch
            {
                0 => false,
                1 => true,
                2 => random.OneIn(2),
                _ => sector < cut,
            };
            if (_dirty[sector] && survives)
            {
                CopySector(_current, _durable, sector);
            }
        }

        _current = (byte[])_durable.Clone();
        _dirty = new((_current.Length + SectorBytes - 1) / SectorBytes);
    }

    private static void CopySector(byte[] from, byte[] to, int sector)
    {
        var offset = sector * SectorBytes;
        var bytes = Math.Min(SectorBytes, Math.Min(from.Length, to.Length) - offset);
        if (bytes > 0)
        {
            Array.Copy(from, offset, to, offset, bytes);
        }
    }
}
