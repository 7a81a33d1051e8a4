// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Numerics;
using Muster.Core;

namespace Muster.Scheduler;

/// <summary>
/// Who has room, by handler and amount: the worker heap. Workers that offer the same handlers form a group, so a
/// question costs one test per group (most cells have one or two) and one step in a list, however many workers there
/// are. Single-threaded; holds as many rows as the arena has; allocates only when a new set of handlers appears.
/// </summary>
internal sealed class CapacityIndex(uint capacity)
{
    private readonly Node[] _nodes = new Node[capacity];
    private readonly List<WorkerGroup> _groups = [];
    private ulong _roomTotal;

    private struct Node
    {
        public WorkerGroup? Group;

        /// <summary>Tier * 64 + list; meaningless while Room is 0.</summary>
        public int List;
        public uint Room;
        public uint Next;
        public uint Previous;
    }

    public bool HasRoom => _roomTotal > 0;

    public int GroupCount => _groups.Count;

    /// <summary>Puts a worker into the group of its handlers; it has no room there until that is set.</summary>
    public void Join(uint row, ReadOnlySpan<ulong> handlers)
    {
        if (_nodes[row].Group is { } current && current.Equals(handlers))
        {
            return;
        }

        Leave(row);
        foreach (var group in _groups)
        {
            if (group.Equals(handlers))
            {
                Enter(row, group);
                return;
            }
        }

        var added = new WorkerGroup();
        handlers.CopyTo(added.Handlers);
        _groups.Add(added);
        Enter(row, added);
    }

    /// <summary>Takes a worker out; one that is not in is left alone.</summary>
    public void Leave(uint row)
    {
        var group = _nodes[row].Group;
        if (group is null)
        {
            return;
        }

        Unlink(row);
        _nodes[row].Group = null;
        group.Workers--;
        if (group.Workers == 0)
        {
            _groups.Remove(group);
        }
    }

    /// <summary>Sets how much room a worker has: its idle slots, or its credit when none is idle.</summary>
    public void SetRoom(uint row, uint idle, uint credit)
    {
        ref var node = ref _nodes[row];
        Invariant.That(node.Group is not null || (idle == 0 && credit == 0));
        var tier = idle > 0 ? RoomTier.Idle : RoomTier.Credit;
        var room = idle > 0 ? idle : credit;
        var list = ((int)tier * WorkerGroup.ListCount) + ListOf(room);
        if (room == node.Room && (room == 0 || list == node.List))
        {
            return;
        }

        Unlink(row);
        if (room > 0)
        {
            Link(row, list, room);
        }
    }

    /// <summary>The room in a tier of all workers that offer the handler.</summary>
    public ulong Room(ushort handler, RoomTier tier)
    {
        ulong room = 0;
        foreach (var group in _groups)
        {
            if (IsOpen(group, handler, tier))
            {
                room += group.Room[(int)tier];
            }
        }

        return room;
    }

    /// <summary>
    /// One of the workers with the most room (exact up to 31, within a factor of two above), in turn.
    /// </summary>
    public bool TryMostRoom(ushort handler, RoomTier tier, out uint row, out uint room)
    {
        WorkerGroup? best = null;
        var bestList = -1;
        foreach (var group in _groups)
        {
            var list = 63 - BitOperations.LeadingZeroCount(group.Filled[(int)tier]);
            if (list > bestList && IsOpen(group, handler, tier))
            {
                best = group;
                bestList = list;
            }
        }

        row = 0;
        room = 0;
        if (best is null)
        {
            return false;
        }

        row = best.Heads[((int)tier * WorkerGroup.ListCount) + bestList] - 1;
        room = _nodes[row].Room;
        return true;
    }

    /// <summary>
    /// Keeps the credit of every worker that offers the handler for itself until <see cref="ReleaseCredit"/>: tasks
    /// that must not be sent ahead would otherwise never find a slot idle beside tasks that may.
    /// </summary>
    public void HoldCredit(ushort handler)
    {
        foreach (var group in _groups)
        {
            group.CreditHeld |= group.Offers(handler);
        }
    }

    public void ReleaseCredit()
    {
        foreach (var group in _groups)
        {
            group.CreditHeld = false;
        }
    }

    /// <summary>Whether any worker that is known offers the handler, with or without room.</summary>
    public bool AnyOffers(ushort handler)
    {
        foreach (var group in _groups)
        {
            if (group.Offers(handler))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Compares lists, sums and bitmaps with the nodes; for tests.</summary>
    public void CheckInvariants()
    {
        ulong total = 0;
        foreach (var group in _groups)
        {
            Invariant.That(group.Workers > 0);
            for (var tier = 0; tier < WorkerGroup.TierCount; tier++)
            {
                ulong room = 0;
                for (var list = 0; list < WorkerGroup.ListCount; list++)
                {
                    room += CheckList(group, (tier * WorkerGroup.ListCount) + list);
                }

                Invariant.That(room == group.Room[tier]);
                total += room;
            }
        }

        Invariant.That(total == _roomTotal);
    }

    private ulong CheckList(WorkerGroup group, int list)
    {
        ulong room = 0;
        uint previous = 0;
        for (var at = group.Heads[list]; at != 0; at = _nodes[at - 1].Next)
        {
            ref var node = ref _nodes[at - 1];
            Invariant.That(node.Group == group && node.List == list && node.Previous == previous && node.Room > 0);
            room += node.Room;
            previous = at;
        }

        Invariant.That(group.Tails[list] == previous);
        var bit = (group.Filled[list / WorkerGroup.ListCount] >> (list % WorkerGroup.ListCount)) & 1;
        Invariant.That((bit == 1) == (room > 0));
        return room;
    }

    private static bool IsOpen(WorkerGroup group, ushort handler, RoomTier tier) =>
        group.Filled[(int)tier] != 0 && !(tier == RoomTier.Credit && group.CreditHeld) && group.Offers(handler);

    private static int ListOf(uint room) => room < 32 ? (int)room : 27 + BitOperations.Log2(room);

    private void Enter(uint row, WorkerGroup group)
    {
        ref var node = ref _nodes[row];
        Invariant.That(node.Group is null && node.Room == 0);
        node.Group = group;
        group.Workers++;
    }

    private void Link(uint row, int list, uint room)
    {
        ref var node = ref _nodes[row];
        var group = node.Group!;
        node.List = list;
        node.Room = room;
        node.Next = 0;
        node.Previous = group.Tails[list];
        if (node.Previous == 0)
        {
            group.Heads[list] = row + 1;
        }
        else
        {
            _nodes[node.Previous - 1].Next = row + 1;
        }

        group.Tails[list] = row + 1;
        var tier = list / WorkerGroup.ListCount;
        group.Filled[tier] |= 1UL << (list % WorkerGroup.ListCount);
        group.Room[tier] += room;
        _roomTotal += room;
    }

    private void Unlink(uint row)
    {
        ref var node = ref _nodes[row];
        if (node.Room == 0)
        {
            return;
        }

        var group = node.Group!;
        if (node.Previous == 0)
        {
            group.Heads[node.List] = node.Next;
        }
        else
        {
            _nodes[node.Previous - 1].Next = node.Next;
        }

        if (node.Next == 0)
        {
            group.Tails[node.List] = node.Previous;
        }
        else
        {
            _nodes[node.Next - 1].Previous = node.Previous;
        }

        var tier = node.List / WorkerGroup.ListCount;
        if (group.Heads[node.List] == 0)
        {
            group.Filled[tier] &= ~(1UL << (node.List % WorkerGroup.ListCount));
        }

        group.Room[tier] -= node.Room;
        _roomTotal -= node.Room;
        node.Room = 0;
    }
}
