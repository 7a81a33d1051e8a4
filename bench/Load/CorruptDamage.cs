// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Journal;
using Muster.Shared.Journal;

namespace Muster.Load;

/// <summary>The six ways in which a disk betrays.</summary>
internal static class CorruptDamage
{
    public const int Kinds = 6;

    public static string Name(int kind) => kind switch
    {
        0 => "bit flipped",
        1 => "cut",
        2 => "blocks swapped",
        3 => "block zeroed",
        4 => "block duplicated",
        _ => "stale block",
    };

    public static void Inflict(int kind, CorruptJournal journal, SplitMix random)
    {
        var disk = journal.Disk;
        var names = disk.Names.Where(name => SegmentName.TryParse(name, out _)).ToArray();
        var name = names[random.Below(names.Length)];
        switch (kind)
        {
            case 0:
                disk.Content(name)[Place(disk, name, random)] ^= (byte)(1 << random.Below(8));
                break;
            case 1 when random.OneIn(2):
                disk.Cut(name, Place(disk, name, random));
                break;
            case 1:
                disk.Content(name).AsSpan(Place(disk, name, random)).Clear();
                break;
            case 2:
                Swap(Block(disk, name, random), Block(disk, names[random.Below(names.Length)], random));
                break;
            case 3:
                Block(disk, name, random).Clear();
                break;
            case 4:
                Block(disk, names[random.Below(names.Length)], random).CopyTo(Block(disk, name, random));
                break;
            default:
                PutBack(journal.Earlier, disk, name, random);
                break;
        }
    }

    /// <summary>Mostly where something is.</summary>
    private static int Place(MemoryDisk disk, string name, SplitMix random)
    {
        var content = disk.Content(name);
        var used = content.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        return random.OneIn(8) || used == 0 ? random.Below(content.Length) : random.Below(used);
    }

    private static Span<byte> Block(MemoryDisk disk, string name, SplitMix random)
    {
        var start = Place(disk, name, random) / JournalFormat.BlockBytes * JournalFormat.BlockBytes;
        return disk.Content(name).AsSpan(start, JournalFormat.BlockBytes);
    }

    private static void Swap(Span<byte> one, Span<byte> other)
    {
        var kept = one.ToArray();
        other.CopyTo(one);
        kept.CopyTo(other);
    }

    private static void PutBack(
        Dictionary<string, byte[]> earlier, MemoryDisk disk, string name, SplitMix random)
    {
        // A name that did not exist then gets what some other segment held there.
        var source = earlier.TryGetValue(name, out var same) ? same : earlier.Values.First();
        var start = Place(disk, name, random) / JournalFormat.BlockBytes * JournalFormat.BlockBytes;
        source.AsSpan(start, JournalFormat.BlockBytes).CopyTo(disk.Content(name).AsSpan(start));
    }
}
