// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Attempts;

namespace Muster.Plm;

/// <content>
/// The last attempts of a task that ended badly, and who ended it, in a block of their own beside the payload. A block
/// is whole before the slot names it, and is never changed: one with more in it takes its place, by one store. Whoever
/// dies in between leaves a block that nobody names, which a successor's claims give back. What an attempt left is
/// written before the step that ends the attempt; a successor that judges it anew finds the entry by its attempt.
/// There may be no room: then less is remembered, and nothing else changes.
/// </content>
internal sealed partial class PlmCore
{
    private readonly AttemptNote _note = new();
    private readonly byte[] _noteEntry = new byte[HistoryBytes.EntryHeadBytes + AttemptNote.BytesMax];
    private int _noteEntryBytes;

    private ReadOnlySpan<byte> HistoryOf(in TaskSlot slot) => TaskHistory.EntriesOf(_arena, slot.HistoryBlock);

    // Of an attempt whose result is in the slot.
    private void RememberFailure(ref TaskSlot slot, Attempt attempt, in ErrorFields error)
    {
        _note.Begin(attempt.Value);
        NoteWorker(in slot);
        _note.Outcome(slot.AttemptOutcome);
        _note.Error(error);
        _note.Moments(slot.AssignedUs, slot.StartedUs, slot.FinishedUs);
        _note.RetryAfter(Math.Min(error.RetryAfterMs, TaskLimits.RetryAfterMsMax));
        Remember(ref slot, HistoryBytes.KindAttempt, attempt.Value, _note.Written);
    }

    // Of an attempt that went down with its worker.
    private void RememberLoss(ref TaskSlot slot, Attempt attempt, bool isCrash)
    {
        _note.Begin(attempt.Value);
        NoteWorker(in slot);
        _note.Outcome((byte)Outcome.Failed);
        _note.Error(FaultCode.WorkerLost, isCrash
            ? "its worker's process ended while it ran, or may have run"
            : "its worker was lost");
        _note.Moments(slot.AssignedUs, 0, Since(in slot));
        Remember(ref slot, HistoryBytes.KindAttempt, attempt.Value, _note.Written);
    }

    private void NoteWorker(in TaskSlot slot)
    {
        var row = slot.Worker - 1;
        if (row < _arena.Workers.HighWater)
        {
            _note.Worker(System.Text.Encoding.UTF8.GetBytes(_arena.Workers.Name(row)));
        }
    }

    // Adds an entry; it takes the place of one of the same kind and attempt, and of the oldest when there are too many.
    private void Remember(ref TaskSlot slot, byte kind, uint attempt, ReadOnlySpan<byte> bytes)
    {
        _noteEntryBytes = HistoryBytes.EntryHeadBytes + bytes.Length;
        HistoryBytes.Write(_noteEntry, kind, attempt, bytes);
        var old = HistoryOf(in slot);
        var skipped = Math.Max(0, CountKept(old, kind, attempt) - (TaskLimits.HistoryAttemptsMax - 1));
        var size = HistoryBytes.HeadBytes + _noteEntryBytes + KeptBytes(old, kind, attempt, skipped);
        Invariant.That(size <= PlmLimits.HistoryBytesMax);
        if (!_payloads.TryAllocate(size, out var block))
        {
            return;
        }

        var target = _arena.Payloads.Bytes(block, size);
        BinaryPrimitives.WriteUInt32LittleEndian(target, (uint)size);
        target = target[HistoryBytes.HeadBytes..];
        while (HistoryBytes.TryNext(ref old, out var oldKind, out var oldAttempt, out var oldBytes))
        {
            if (IsKept(oldKind, oldAttempt, kind, attempt, ref skipped))
            {
                target = HistoryBytes.Write(target, oldKind, oldAttempt, oldBytes);
            }
        }

        _noteEntry.AsSpan(0, _noteEntryBytes).CopyTo(target);
        var (oldBlock, oldSize) = HistoryBlockOf(in slot);
        Volatile.Write(ref slot.HistoryBlock, block);
        CrashPoint.Hit("plm.history.named");
        if (oldBlock != 0)
        {
            _payloads.Free(oldBlock, oldSize);
        }
    }

    private static int CountKept(ReadOnlySpan<byte> entries, byte kind, uint attempt)
    {
        var count = 0;
        var none = 0;
        while (HistoryBytes.TryNext(ref entries, out var oldKind, out var oldAttempt, out _))
        {
            var isKept = IsKept(oldKind, oldAttempt, kind, attempt, ref none);
            count += isKept && oldKind == HistoryBytes.KindAttempt ? 1 : 0;
        }

        return count;
    }

    private static int KeptBytes(ReadOnlySpan<byte> entries, byte kind, uint attempt, int skipped)
    {
        var bytes = 0;
        while (HistoryBytes.TryNext(ref entries, out var oldKind, out var oldAttempt, out var oldBytes))
        {
            bytes += IsKept(oldKind, oldAttempt, kind, attempt, ref skipped)
                ? HistoryBytes.EntryHeadBytes + oldBytes.Length
                : 0;
        }

        return bytes;
    }

    // Of the attempts, the first ones are skipped.
    private static bool IsKept(byte oldKind, uint oldAttempt, byte kind, uint attempt, ref int skipped)
    {
        if (oldKind == kind && (kind == HistoryBytes.KindEnd || oldAttempt == attempt))
        {
            return false;
        }

        return oldKind != HistoryBytes.KindAttempt || skipped-- <= 0;
    }

    // Block and bytes; 0 and 0: none. Written whole by this role alone, so the length is believed.
    private (uint Block, int Bytes) HistoryBlockOf(in TaskSlot slot)
    {
        var block = slot.HistoryBlock;
        return block == 0
            ? (0, 0)
            : (block, (int)BinaryPrimitives.ReadUInt32LittleEndian(
                _arena.Payloads.Bytes(block, HistoryBytes.HeadBytes)));
    }

    // After its slot is free, with what it named before.
    private void FreeHistory((uint Block, int Bytes) history)
    {
        if (history.Block != 0)
        {
            _payloads.Free(history.Block, history.Bytes);
        }
    }

    private void ClaimHistory(in TaskSlot slot)
    {
        var (block, bytes) = HistoryBlockOf(in slot);
        Invariant.That(block == 0 || _payloads.TryClaim(block, bytes));
    }

    // The whole entry of one attempt; empty when there is none.
    private ReadOnlySpan<byte> EntryOf(in TaskSlot slot, Attempt attempt)
    {
        var entries = HistoryOf(in slot);
        var rest = entries;
        while (HistoryBytes.TryNext(ref rest, out var kind, out var of, out _))
        {
            if (kind == HistoryBytes.KindAttempt && of == attempt.Value)
            {
                return entries[..^rest.Length];
            }

            entries = rest;
        }

        return default;
    }

    // The wait that the handler asked for at the end of this attempt; 0: it did not.
    private ulong AskedDelayMs(in TaskSlot slot, Attempt attempt)
    {
        var entries = HistoryOf(in slot);
        while (HistoryBytes.TryNext(ref entries, out var kind, out var of, out var bytes))
        {
            if (kind == HistoryBytes.KindAttempt && of == attempt.Value)
            {
                return AttemptNote.RetryAfterOf(bytes);
            }
        }

        return 0;
    }

    // Entries from the journal, oldest first.
    private void RestoreHistory(ref TaskSlot slot, ReadOnlySpan<byte> entries)
    {
        while (HistoryBytes.TryNext(ref entries, out var kind, out var attempt, out var bytes))
        {
            if (bytes.Length <= AttemptNote.BytesMax)
            {
                Remember(ref slot, kind, attempt, bytes);
            }
        }
    }
}
