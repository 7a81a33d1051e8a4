// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// At most one timer a slot, in monotonic milliseconds: a hierarchical wheel of eight levels of 256 buckets, one level
/// for each byte of the time. A timer lies in the level of the highest byte in which its time differs from the wheel's
/// own, under that byte; so every timer of a level is due before any of a higher one, and one of the lowest level is
/// due exactly at its bucket. Setting and taking out cost O(1), and a timer is moved to a lower level at most seven
/// times in its life, for a wait of a day three times, in buckets that the wheel reaches as time passes. An idle wheel
/// steps over any stretch of time at once: bitmaps say which buckets hold something.
/// <para>
/// Memory: 24 bytes for each slot up to the highest that ever had a timer, and 24 KiB. Used inside turns only.
/// </para>
/// </summary>
internal sealed class TaskTimers
{
    private const int Levels = 8;
    private const int LevelBits = 8;
    private const int Buckets = 1 << LevelBits;
    private const int WordsPerLevel = Buckets / 64;
    private const long NodesMin = 1_024;

    /// <summary>The bucket of those that are due, in order.</summary>
    private const int Due = Levels * Buckets;

    private struct Node
    {
        public long DueMs;

        /// <summary>Slot + 1 of the neighbours in the bucket; 0 at the ends.</summary>
        public uint Next;
        public uint Previous;

        /// <summary>Bucket + 1; 0: the slot has no timer.</summary>
        public int Bucket;
    }

    private readonly uint[] _heads = new uint[Due + 1];
    private readonly uint[] _tails = new uint[Due + 1];
    private readonly ulong[] _filled = new ulong[Levels * WordsPerLevel];
    private Node[] _nodes = [];

    // Every timer up to here is in the bucket of those that are due.
    private long _nowMs;

    public int Count { get; private set; }

    /// <summary>
    /// A moment by which <see cref="TryPopDue"/> is to be called: never later than the first timer is due, and often
    /// earlier for one that is far off. <see cref="long.MaxValue"/> without any.
    /// </summary>
    public long NextDueMs => _heads[Due] != 0 ? _nowMs : TryFindFirst(out _, out var startMs) ? startMs : long.MaxValue;

    public bool IsSet(uint slot) => slot < _nodes.Length && _nodes[slot].Bucket != 0;

    /// <summary>Sets or moves the slot's timer.</summary>
    public void Set(uint slot, long dueMs)
    {
        if (slot >= _nodes.Length)
        {
            var wanted = Math.Max(slot + 1L, Math.Max(NodesMin, 2L * _nodes.Length));
            Array.Resize(ref _nodes, (int)Math.Min(wanted, Array.MaxLength));
        }

        Remove(slot);
        _nodes[slot].DueMs = dueMs;
        Append(slot, BucketOf(dueMs));
        Count++;
    }

    /// <summary>Takes the slot's timer out, if it has one.</summary>
    public void Remove(uint slot)
    {
        if (IsSet(slot))
        {
            Unlink(slot);
            Count--;
        }
    }

    /// <summary>Takes a timer out that is due, the earliest first.</summary>
    public bool TryPopDue(long nowMs, out uint slot)
    {
        if (_heads[Due] == 0)
        {
            Advance(nowMs);
        }

        slot = _heads[Due] - 1;
        if (_heads[Due] == 0)
        {
            return false;
        }

        Remove(slot);
        return true;
    }

    /// <summary>When the slot's timer is due; 0 without one.</summary>
    public long DueMsOf(uint slot) => IsSet(slot) ? _nodes[slot].DueMs : 0;

    public void CheckInvariants()
    {
        var count = 0;
        for (var bucket = 0; bucket <= Due; bucket++)
        {
            uint previous = 0;
            for (var at = _heads[bucket]; at != 0; at = _nodes[at - 1].Next)
            {
                ref var node = ref _nodes[at - 1];
                Invariant.That(node.Bucket == bucket + 1 && node.Previous == previous);
                Invariant.That(BucketOf(node.DueMs) == bucket);
                previous = at;
                count++;
            }

            Invariant.That(_tails[bucket] == previous);
            Invariant.That(bucket == Due || IsFilled(bucket) == (previous != 0));
        }

        Invariant.That(count == Count);
    }

    private int BucketOf(long dueMs)
    {
        if (dueMs <= _nowMs)
        {
            return Due;
        }

        var level = (63 - BitOperations.LeadingZeroCount((ulong)(dueMs ^ _nowMs))) / LevelBits;
        return (level << LevelBits) | (int)((dueMs >> (level * LevelBits)) & (Buckets - 1));
    }

    // Lets time pass until something is due, or to the moment itself.
    private void Advance(long nowMs)
    {
        while (_heads[Due] == 0)
        {
            if (!TryFindFirst(out var bucket, out var startMs) || startMs > nowMs)
            {
                _nowMs = Math.Max(_nowMs, nowMs);
                return;
            }

            _nowMs = startMs;
            var at = _heads[bucket];
            (_heads[bucket], _tails[bucket]) = (0, 0);
            _filled[bucket / 64] &= ~(1UL << (bucket % 64));
            while (at != 0)
            {
                var next = _nodes[at - 1].Next;
                Append(at - 1, BucketOf(_nodes[at - 1].DueMs));
                at = next;
            }
        }
    }

    // The bucket whose time comes first, and when that is.
    private bool TryFindFirst(out int bucket, out long startMs)
    {
        for (var word = 0; word < _filled.Length && Count > 0; word++)
        {
            if (_filled[word] != 0)
            {
                bucket = (word * 64) + BitOperations.TrailingZeroCount(_filled[word]);
                var shift = (bucket >> LevelBits) * LevelBits;
                var above = shift + LevelBits >= 64 ? 0 : _nowMs >> (shift + LevelBits) << (shift + LevelBits);
                startMs = above | ((long)(bucket & (Buckets - 1)) << shift);
                return true;
            }
        }

        (bucket, startMs) = (0, 0);
        return false;
    }

    private bool IsFilled(int bucket) => (_filled[bucket / 64] & (1UL << (bucket % 64))) != 0;

    private void Append(uint slot, int bucket)
    {
        ref var node = ref _nodes[slot];
        node.Bucket = bucket + 1;
        node.Next = 0;
        node.Previous = _tails[bucket];
        if (node.Previous == 0)
        {
            _heads[bucket] = slot + 1;
        }
        else
        {
            _nodes[node.Previous - 1].Next = slot + 1;
        }

        _tails[bucket] = slot + 1;
        if (bucket != Due)
        {
            _filled[bucket / 64] |= 1UL << (bucket % 64);
        }
    }

    private void Unlink(uint slot)
    {
        ref var node = ref _nodes[slot];
        var bucket = node.Bucket - 1;
        (node.Previous == 0 ? ref _heads[bucket] : ref _nodes[node.Previous - 1].Next) = node.Next;
        (node.Next == 0 ? ref _tails[bucket] : ref _nodes[node.Next - 1].Previous) = node.Previous;
        node.Bucket = 0;
        if (bucket != Due && _heads[bucket] == 0)
        {
            _filled[bucket / 64] &= ~(1UL << (bucket % 64));
        }
    }
}
