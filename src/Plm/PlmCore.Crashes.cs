// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Heap;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Tasks whose worker died under them. A death is charged to the attempts that ran, or may have run: those that the
/// worker had said run, then those it had longest, up to as many as it has slots; what merely waited there is not
/// charged. Charged is the death of a process alone: a worker that was silent, cut off or asked to leave tells nothing
/// about its tasks.
/// <para>
/// Which of several it was cannot be known. So a task that was charged once has a worker to itself from then on: if it
/// was only a neighbour it succeeds there, and if it was the one, no neighbour is charged with it again. After
/// <see cref="PlmOptions.CrashesMax"/> deaths it is quarantined.
/// </para>
/// </content>
internal sealed partial class PlmCore
{
    private const int CrashedMin = 64;

    private sealed record Charges(uint Epoch, List<ulong> Tasks);

    private readonly record struct Crashed(uint Row, bool IsWaiting, double AssignedUnixUs, uint Slot, StateWord Word)
        : IComparable<Crashed>
    {
        public int CompareTo(Crashed other) => (Row, IsWaiting, AssignedUnixUs, Slot).CompareTo(
            (other.Row, other.IsWaiting, other.AssignedUnixUs, other.Slot));
    }

    // Attempts found on rows whose process died, in one pass over the slots. An array: the code of a list of these
    // would have to be compiled at the first death, while its tasks wait.
    private Crashed[] _crashed = new Crashed[CrashedMin];
    private int _crashedCount;

    // What is known of the deaths, by task; for people, so it may be forgotten with this process.
    private readonly Dictionary<ulong, List<string>> _crashNotes = [];

    // What was charged with the last death of each row, until its process turns out to live.
    private Charges?[] _charges = [];

    private bool DiedOf(uint row) =>
        (WorkerReason)_arena.Workers[row].HealthReason
            is WorkerReason.ProcessExited or WorkerReason.ConnectionsClosed;

    // Notes an attempt that may be charged; false when it cannot have run there.
    private bool TryNoteCrashed(uint index, StateWord word)
    {
        ref var slot = ref _tasks[index];
        var row = slot.Worker - 1;
        var assignedUnixUs = slot.SubmittedUnixUs + (double)slot.AssignedUs;
        if (!DiedOf(row) || (word.State == TaskState.Assigned && IsAfterDeath(row, assignedUnixUs)))
        {
            return false;
        }

        if (_crashedCount == _crashed.Length)
        {
            Array.Resize(ref _crashed, 2 * _crashed.Length);
        }

        _crashed[_crashedCount++] = new(row, word.State == TaskState.Assigned, assignedUnixUs, index, word);
        return true;
    }

    // The Scheduler placed it before it saw the fence, and so never sent it.
    private bool IsAfterDeath(uint row, double unixUs) => unixUs > _arena.Workers[row].HealthSinceUnixUs;

    private void ChargeCrashed()
    {
        if (_crashedCount > 1)
        {
            Array.Sort(_crashed, 0, _crashedCount);
        }

        var row = uint.MaxValue;
        uint charged = 0;
        for (var at = 0; at < _crashedCount; at++)
        {
            var crashed = _crashed[at];
            if (crashed.Row != row)
            {
                (row, charged) = (crashed.Row, 0);
                ForgetCharges(row);
            }
            else
            {
                charged++;
            }

            if (charged < _arena.Workers[row].Slots)
            {
                Charge(crashed.Slot, crashed.Word, row);
            }
            else
            {
                ReturnAttempt(crashed.Slot, crashed.Word);
            }
        }

        _crashedCount = 0;
    }

    private void ForgetCharges(uint row)
    {
        if (row < _charges.Length)
        {
            _charges[row] = null;
        }
    }

    private void Charge(uint index, StateWord word, uint row)
    {
        ref var slot = ref _tasks[index];
        if (ProfileOf(in slot).AttemptsMax == 1 || IsUsedUp(word))
        {
            ReturnAttempt(index, word);
            return;
        }

        if (slot.Crashes + 1 >= _options.CrashesMax)
        {
            // Before the end, whose record tells of it.
            Count(CellCounter.LostAttempts);
            var isNoted = TryNoteCrash(_tasks.IdOf(index).Value, row);
            if (!TryQuarantine(index, ref slot, word))
            {
                Count(CellCounter.LostAttempts, -1);
                ForgetLastNote(_tasks.IdOf(index).Value, isNoted);
            }

            return;
        }

        RememberLoss(ref slot, word.Attempt, isCrash: true);

        // The count comes after the push: a death in between costs one crash more, and charges none twice.
        FlushPushes();
        slot.ReadyUs = Since(in slot);
        if (!_ready.PushInto(AloneClassOf(in slot), new TakenTask(index, word)))
        {
            // The Scheduler gave it back at this moment: it had never been sent.
            return;
        }

        slot.Crashes++;
        Count(CellCounter.LostAttempts);
        TryNoteCrash(_tasks.IdOf(index).Value, row);
        _wakeScheduler = true;
        NoteFailedAttempt(index, in slot, word.Attempt, slot.AttemptsFailed);
        if (_charges.Length == 0)
        {
            _charges = new Charges?[_arena.Workers.Capacity];
        }

        // The epoch is that of the registration that died, before the fence.
        _charges[row] ??= new(_arena.Workers[row].Epoch - 1, []);
        _charges[row]!.Tasks.Add(_tasks.IdOf(index).Value);
    }

    // The process of the row lives: what its tasks were charged with was the loss of a worker, no death. Not undone are
    // the worker that they have to themselves from then on and an end in quarantine; and another PLM process knows no
    // charges to take back, which errs on the safe side.
    private void TakeBackCharges(uint row, ulong epoch)
    {
        if (row >= _charges.Length || _charges[row] is not { } charges || charges.Epoch != epoch)
        {
            return;
        }

        ForgetCharges(row);
        foreach (var id in charges.Tasks)
        {
            if (!_tasks.TryFind(new TaskId(id), out var index, out var word) || word.State == TaskState.Done)
            {
                continue;
            }

            ref var slot = ref _tasks[index];
            slot.Crashes--;
            slot.AttemptsLost = (byte)Math.Min(slot.AttemptsLost + 1, TaskLimits.LostAttemptsMax);
            NoteFailedAttempt(index, in slot, word.Attempt, slot.AttemptsFailed);
            ForgetLastNote(id, _crashNotes.TryGetValue(id, out var notes) && notes.Count > slot.Crashes);
        }
    }

    // Of a death that is not charged after all.
    private void ForgetLastNote(ulong id, bool isNoted)
    {
        if (isNoted && _crashNotes.TryGetValue(id, out var notes))
        {
            notes.RemoveAt(notes.Count - 1);
            if (notes.Count == 0)
            {
                _crashNotes.Remove(id);
            }
        }
    }

    // The class it has when there is no room for another: then it runs beside others.
    private ushort AloneClassOf(in TaskSlot slot) =>
        _ready.TryIntern(TaskRules.ClassOf(in ProfileOf(in slot)) with { IsAlone = true }, out var id)
            ? id
            : slot.Class;

    private void ForgetCrashes(uint index, in TaskSlot slot)
    {
        if (slot.Crashes > 0)
        {
            _crashNotes.Remove(_tasks.IdOf(index).Value);
        }
    }

    private bool TryNoteCrash(ulong id, uint row)
    {
        if (!_crashNotes.TryGetValue(id, out var notes))
        {
            if (_crashNotes.Count >= PlmLimits.CrashNotesMax)
            {
                return false;
            }

            _crashNotes.Add(id, notes = []);
        }

        var workers = _arena.Workers;
        notes.Add(CrashNote.Of(workers.Name(row), workers.Host(row), workers[row].Pid, workers[row].HealthSinceUnixUs));
        return true;
    }
}
