// SPDX-License-Identifier: Apache-2.0
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// Telling the journal what it was told before: all live tasks and then all keys in slices while work goes on (a
/// snapshot, after which older records are not needed), or after a takeover those that the predecessor may not have got
/// onto the disk. Keys come last: one whose task ends and goes after the task's slot was passed is met among them.
/// </content>
internal sealed partial class PlmCore
{
    private ulong _snapshotBegin;
    private ulong _snapshotEnd;
    private uint _snapshotAt;

    // What was recorded before it is not needed afterwards.
    private bool _snapshotReplaces = true;
    private uint _snapshotKeyAt;
    private long _snapshotDueMs = long.MaxValue;

    /// <summary>Begins a snapshot unless one is under way.</summary>
    public void BeginSnapshot()
    {
        Invariant.That(_inTurn && _journal is not null);
        if (_snapshotBegin != 0)
        {
            return;
        }

        StartSnapshot(_journal);
        CrashPoint.Hit("plm.snapshot.begun");
        _snapshotAt = 0;
        _snapshotExtentAt = 0;
        _snapshotKeyAt = 0;
        _snapshotDueMs = _now.Ms;
    }

    private void StartSnapshot(IPlmJournal journal)
    {
        AppendFacts();
        _snapshotBegin = journal.Append(RecordKind.SnapshotBegin, default);
        ForgetToldProfiles();
        TellArena();
        TellModels();
    }

    private void TellModels()
    {
        for (ushort handler = 0; handler < _arena.Handlers.Count; handler++)
        {
            if (_arena.Handlers.MeanUs(handler) is > 0 and var meanUs)
            {
                _facts.Begin(FactKind.HandlerModel);
                _facts.Bytes(_arena.Handlers.NameUtf8(handler));
                _facts.Single(meanUs);
                _facts.End();
            }
        }
    }

    private void RunSnapshot()
    {
        if (_journal is null)
        {
            return;
        }

        if (_snapshotEnd != 0)
        {
            ForgetWhatCameBefore();
        }
        else if (_snapshotBegin == 0)
        {
            if (_journal.WantsSnapshot)
            {
                BeginSnapshot();
            }
        }
        else if (_snapshotDueMs <= _now.Ms)
        {
            TellSlice();
        }
    }

    private void TellSlice()
    {
        // Looked at before each slot: large payloads and results are more than may wait to be written long before the
        // slice is over.
        var left = PlmLimits.SnapshotSlotsPerTurn;
        for (; _snapshotAt < _tasks.HighWater && left > 0 && !_journal!.IsBehind; left--)
        {
            TellIfLive(_snapshotAt++);
        }

        var areSpilledTold = _snapshotAt == _tasks.HighWater && left > 0 && !_journal!.IsBehind && TellSpilledSlice();
        for (; areSpilledTold && _snapshotKeyAt < _arena.Keys.HighWater && left > 0; left--)
        {
            TellKey(_snapshotKeyAt++);
        }

        if (_snapshotAt < _tasks.HighWater || !areSpilledTold || _snapshotKeyAt < _arena.Keys.HighWater)
        {
            CrashPoint.Hit("plm.snapshot.slice");
            _snapshotDueMs = _now.Ms + PlmLimits.SnapshotPauseMs;
            return;
        }

        FinishSnapshot(_journal!);
        CrashPoint.Hit("plm.snapshot.ended");
    }

    private void FinishSnapshot(IPlmJournal journal)
    {
        AppendFacts();
        System.Span<byte> begin = stackalloc byte[sizeof(ulong)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(begin, _snapshotBegin);
        _snapshotEnd = journal.Append(RecordKind.SnapshotEnd, begin);
        _snapshotDueMs = long.MaxValue;
    }

    private void ForgetWhatCameBefore()
    {
        if (_snapshotEnd <= _synced)
        {
            if (_snapshotReplaces)
            {
                _journal!.ForgetBefore(_snapshotBegin);
            }

            CrashPoint.Hit("plm.snapshot.forgotten");
            _snapshotBegin = 0;
            _snapshotEnd = 0;
            if (TellEverything)
            {
                TellEverything = false;
                _snapshotReplaces = true;
                _arena.Set(CellCounter.JournalSynced, _synced);
            }
        }
    }

    private void TellIfLive(uint index)
    {
        var word = _tasks.Read(index);
        ref var slot = ref _tasks[index];
        if (word.State != TaskState.Free && IsJournaled(in slot) && (slot.Flags & SlotFlags.Released) == 0)
        {
            TellTask(index, in slot, word);
        }
    }

    private void TellTask(uint index, in TaskSlot slot, StateWord word)
    {
        var isRestoredEnd = (slot.Flags & SlotFlags.ResultInPayload) != 0;

        // A payload and a result of the largest size fill a record, and must not be torn apart.
        if (slot.PayloadBytes + (long)slot.ResultBytes >= PlmLimits.RecordBytesAim)
        {
            AppendFacts();
        }

        var session = SessionOf(in slot);
        BeginSubmitted(in slot, TellProfile(slot.Profile), session?.ClientId ?? 0, session?.DecidedRef ?? 0, slot.Ref);
        var payload = isRestoredEnd ? default : _arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
        WriteItem(index, 0, payload);
        _facts.End();
        if (IsGranted(in slot))
        {
            _grants.Add(_tasks.IdOf(index).Value);
        }

        if (HasFailed(in slot))
        {
            WriteFailedAttempt(index, in slot, LastOver(word), slot.AttemptsFailed, HistoryOf(in slot));
        }

        if (word.State == TaskState.Done && slot.Outcome != 0)
        {
            WriteEnded(index, in slot);
        }

        AppendIfLarge();
    }

    private static bool HasFailed(in TaskSlot slot) =>
        slot.AttemptsFailed > 0 || slot.AttemptsLost > 0 || slot.Crashes > 0;

    // Every attempt before the one that is under way.
    private static Attempt LastOver(StateWord word) =>
        word.State is TaskState.Assigned or TaskState.Running or TaskState.Reported
            ? new(word.Attempt.Value - 1)
            : word.Attempt;

    // After a takeover: what the predecessor appended may have died with it.
    private void TellJournalAgain(uint index, ref TaskSlot slot, StateWord word)
    {
        if (_journal is null || !IsJournaled(in slot))
        {
            return;
        }

        var isEnded = word.State == TaskState.Done && slot.Outcome != 0;
        var isAcceptedSafe = slot.DurableUs != 0 && !TellEverything;
        if (!isAcceptedSafe)
        {
            TellTask(index, in slot, word);
            AwaitJournal(index, in slot, isEnd: false);
        }
        else if (HasFailed(in slot) && !isEnded)
        {
            // Nobody waited for this fact, so it may have died with the predecessor, and the task would come back with
            // attempts that it had used up. An end says it all.
            WriteFailedAttempt(index, in slot, LastOver(word), slot.AttemptsFailed, HistoryOf(in slot));
            AppendIfLarge();
        }

        if (isEnded && (!IsPublished(in slot) || TellEverything))
        {
            if (isAcceptedSafe)
            {
                WriteEnded(index, in slot);
            }

            if (!IsPublished(in slot))
            {
                AwaitJournal(index, in slot, isEnd: true);
            }
        }
    }
}
