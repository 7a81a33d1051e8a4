// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Muster.Arena.Locks;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena.Heap;

/// <summary>
/// Repair: every list is made anew from the slots. Of a slot only State, Class and SubmittedUnixUs are believed; of the
/// heap's own area only the keys of the classes. The order within a class is by SubmittedUnixUs, then index; exact when
/// the ready tasks were submitted within 19 hours of each other, and to 0.3 ms when within half a year.
/// The buffer (16 bytes per slot up to the high water) is native and freed at the end: a repair must not start a
/// garbage collection, which would hold the lock for longer than its waiters bear.
/// </summary>
internal sealed unsafe partial class TaskHeap
{
    /// <summary>
    /// How far ahead slots are fetched while they are linked in an order that the processor cannot foresee.
    /// </summary>
    private const int SlotsAhead = 16;

    /// <summary>Compares the lists with the slots, under the lock; for tests and inspection.</summary>
    public void CheckInvariants()
    {
        using var scope = Enter();
        var linked = 0UL;
        for (var id = 0u; id < ClassCount; id++)
        {
            linked += CheckClass((ushort)id, scope);
        }

        var ready = 0UL;
        for (var index = 0u; index < _tasks.HighWater; index++)
        {
            ShowLife(index, scope);
            ready += _tasks.Read(index).State == TaskState.Ready ? 1UL : 0;
        }

        // Each list is consistent both ways, so no slot is in it twice; equal sums then mean that none is missing.
        Invariant.That(linked == ready);
        Invariant.That(linked == _header->Count);
        for (var word = 0; word < HeapHeader.ActiveWords; word++)
        {
            Invariant.That((_header->Active[word] != 0) == ((_header->ActiveSummary & (1UL << word)) != 0));
        }
    }

    private ulong CheckClass(ushort id, ArenaLock.Scope scope)
    {
        ref var row = ref _classes[id];
        var active = (_header->Active[id / BitsPerWord] & (1UL << (id % BitsPerWord))) != 0;
        Invariant.That(active == (row.Count > 0));
        var previous = 0u;
        var next = row.Head;
        for (var step = 0u; step < row.Count; step++)
        {
            ShowLife(step, scope);
            ref var slot = ref _tasks[next - 1];
            Invariant.That(slot.Class == id && slot.HeapPrevious == previous);
            Invariant.That(_tasks.Read(next - 1).State == TaskState.Ready);
            Invariant.That(step > 0 || row.HeadOrder == OrderOf(ref slot));
            previous = next;
            next = slot.HeapNext;
        }

        Invariant.That(next == 0 && row.Tail == previous);
        return row.Count;
    }

    private void RepairOrLeave(ArenaLock.Scope scope)
    {
        var repaired = false;
        try
        {
            Repair(scope);
            repaired = true;
        }
        finally
        {
            if (!repaired)
            {
                scope.Dispose();
            }
        }
    }

    private void Repair(ArenaLock.Scope scope)
    {
        BeginChange();
        for (var id = 0u; id < ArenaLayout.HeapClasses; id++)
        {
            ref var row = ref _classes[id];
            (row.Count, row.Head, row.Tail, row.HeadOrder) = (0, 0, 0, 0);
        }

        new Span<ulong>(_header->Active, HeapHeader.ActiveWords).Clear();
        _header->ActiveSummary = 0;

        var slots = (int)_tasks.HighWater;
        var buffer = (ulong*)NativeMemory.Alloc((nuint)slots * 2, sizeof(ulong));
        ulong linked;
        try
        {
            var entries = GatherReady(new Span<ulong>(buffer, slots), scope);
            linked = LinkAll(ReadyOrder.Sort(entries, new Span<ulong>(buffer + slots, slots), scope), scope);
        }
        finally
        {
            NativeMemory.Free(buffer);
        }

        EndChange(linked);
        if (scope.NeedsRepair)
        {
            scope.MarkRepaired();
        }
    }

    private Span<ulong> GatherReady(Span<ulong> buffer, ArenaLock.Scope scope)
    {
        // Most often everything was submitted within hours of the first one found, and one look at the slots is enough.
        var moments = new MomentRange(long.MaxValue, long.MinValue);
        if (TryGather(buffer, null, 0, ref moments, out var count, scope))
        {
            return buffer[..count];
        }

        var span = unchecked((ulong)(moments.Latest - moments.Earliest));
        var shift = Math.Max(0, 64 - BitOperations.LeadingZeroCount(span) - ReadyOrder.MomentBits);
        Invariant.That(TryGather(buffer, moments.Earliest, shift, ref moments, out count, scope));
        return buffer[..count];
    }

    private bool TryGather(
        Span<ulong> buffer, long? baseMoment, int shift, ref MomentRange moments, out int count, ArenaLock.Scope scope)
    {
        var fits = true;
        count = 0;
        for (var index = 0u; index < (uint)buffer.Length; index++)
        {
            ShowLife(index, scope);
            if (_tasks.Read(index).State != TaskState.Ready)
            {
                continue;
            }

            var moment = _tasks[index].SubmittedUnixUs;
            var start = baseMoment ??= unchecked(moment - (1L << (ReadyOrder.MomentBits - 1)));
            moments = moments.With(moment);
            fits &= ReadyOrder.TryPack(moment, start, shift, index, out buffer[count++]);
        }

        return fits;
    }

    private ulong LinkAll(ReadOnlySpan<ulong> entries, ArenaLock.Scope scope)
    {
        for (var at = 0; at < entries.Length; at++)
        {
            ShowLife((uint)at, scope);
            if (Sse.IsSupported && at + SlotsAhead < entries.Length)
            {
                Sse.Prefetch0(Unsafe.AsPointer(ref _tasks[ReadyOrder.SlotOf(entries[at + SlotsAhead])]));
            }

            var slot = ReadyOrder.SlotOf(entries[at]);
            Invariant.That(_tasks[slot].Class < ClassCount);
            Append(slot);
        }

        return (ulong)entries.Length;
    }

    private static void ShowLife(uint step, ArenaLock.Scope scope)
    {
        if (step % ReadyOrder.EntriesPerSign == 0)
        {
            scope.RepairGoesOn();
        }
    }

    private readonly record struct MomentRange(long Earliest, long Latest)
    {
        public MomentRange With(long moment) => new(Math.Min(Earliest, moment), Math.Max(Latest, moment));
    }
}
