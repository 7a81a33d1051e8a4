// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using Muster.Arena;
using Muster.Arena.Tables;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm;
using Muster.Simulation.Actors;
using Muster.Simulation.Kernel;

namespace Muster.Simulation.Roles;

/// <summary>
/// Stands at the seams of the arena. Writes down every step of every task; ends the role at work before or after one
/// of its writes; lets another role have a whole turn there, as a second processor would.
/// </summary>
internal sealed class ArenaObserver(World world, SimCell cell) : ISeamObserver
{
    private int _locks;
    private bool _isNested;
    private RoleProcess? _doomed;
    private int _passesLeft;
    private (Role Role, uint Index, ushort Class)? _readied;

    /// <summary>How often in a thousand another role goes first.</summary>
    public int GoesFirstPermille { get; set; }

    /// <summary>Tasks are put back where the journal says they were: those are no steps of their lives.</summary>
    public bool IsReplaying { get; set; }

    /// <summary>Which registration the Register is listening to; 0: none.</summary>
    public ulong Reporting { get; set; }

    /// <summary>The role dies at its so-manyth write from now on.</summary>
    public void Doom(RoleProcess role, int passes)
    {
        _doomed = role;
        _passesLeft = passes;
    }

    public void Reprieve() => _doomed = null;

    /// <summary>Whoever held a lock is dead, and the scope that gave it back was left on the way out.</summary>
    public void LocksAreFree() => _locks = 0;

    public void Pass()
    {
        if (cell.Active is not { } active)
        {
            return;
        }

        if (_doomed == active && --_passesLeft <= 0)
        {
            _doomed = null;
            world.Trace.Add(TraceMark.DiesInside, active.Index);
            throw new SimulatedDeath(active);
        }

        if (GoesFirstPermille > 0 && _locks == 0 && !_isNested && world.Random.Chance(GoesFirstPermille))
        {
            LetAnotherGoFirst(active);
        }
    }

    public void LockTaken() => _locks++;

    public void LockLeft()
    {
        _locks--;

        // A task that shall run alone gets its class after its step, under the same lock.
        if (_readied is var (role, index, former) && cell.Arena.Tasks[index].Class != former)
        {
            Record(role, HistoryOp.Ready, cell.Arena.Tasks.IdOf(index).Value, detail: ClassOf(index));
        }

        _readied = null;
    }

    public void Stepped(Role role, uint slot, StateWord before, StateWord after)
    {
        world.Trace.Add(TraceMark.Step, (int)role, slot, before.Value, after.Value);
        if (!IsReplaying)
        {
            Write(role, slot, before, after);
        }

        Pass();
    }

    private void LetAnotherGoFirst(RoleProcess active)
    {
        var other = cell.Roles[world.Random.Below(cell.Roles.Length)];
        if (other == active || !other.IsUp || other.IsPaused)
        {
            return;
        }

        world.Trace.Add(TraceMark.GoesFirst, other.Index);
        _isNested = true;
        other.RunRole();
        _isNested = false;
    }

    private void Write(Role role, uint index, StateWord before, StateWord after)
    {
        ref var slot = ref cell.Arena.Tasks[index];
        var id = cell.Arena.Tasks.IdOf(index).Value;
        var taskClass = ClassOf(index);
        switch (after.State)
        {
            case TaskState.Accepted when !world.KeyOf.ContainsKey(id):
                var payload = cell.Arena.Payloads.Bytes(slot.PayloadBlock, (int)slot.PayloadBytes);
                world.KeyOf.TryAdd(id, BinaryPrimitives.ReadUInt64LittleEndian(payload));
                break;
            case TaskState.Ready:
                if (before.State == TaskState.Delayed)
                {
                    Record(role, HistoryOp.TimerFired, id);
                }

                Record(role, HistoryOp.Ready, id, detail: taskClass);
                _readied = (role, index, slot.Class);
                break;
            case TaskState.Assigned:
                var holder = cell.Arena.Workers.IdOf(slot.Worker - 1);
                var op = role == Role.Scheduler ? HistoryOp.Dispatch : HistoryOp.Attach;
                Record(role, op, id, after.Attempt.Value, taskClass, holder);
                break;
            case TaskState.Reported:
                WriteAccepted(role, in slot, id, after);
                break;
            case TaskState.Delayed:
                // Milliseconds are all that a core sees, so the moment is that of the millisecond's beginning.
                var delayMs = (long)(slot.DueUnixMs - (ulong)(cell.NowUnixUs / 1_000));
                var dueUs = ((world.NowUs / 1_000) + delayMs) * 1_000;
                Record(role, HistoryOp.TimerSet, id, value: (ulong)dueUs);
                break;
            case TaskState.Done when !IsEnd(in slot):
                // A way station: of a task that went to disk, or that comes back from the journal.
                break;
            case TaskState.Done:
                Record(role, HistoryOp.Done, id, after.Attempt.Value);
                break;
            default:
                break;
        }
    }

    // Outcome or fault stand in the slot before a task ends, and it is published after that.
    private static bool IsEnd(in TaskSlot slot) =>
        (slot.Outcome != 0 || slot.EndFault != 0) && (slot.Flags & SlotFlags.Published) == 0;

    // Tasks that run alone go before all others, whatever their priority: they are compared with each other.
    private ulong ClassOf(uint index)
    {
        ref var slot = ref cell.Arena.Tasks[index];
        var isAlone = cell.Arena.Ready.ClassOf(slot.Class).IsAlone;
        ref readonly var profile = ref cell.Arena.Profiles[slot.Profile];
        return profile.Priority | ((ulong)profile.Handler << 8) | (isAlone ? 1ul << 32 : 0);
    }

    private void WriteAccepted(Role role, in TaskSlot slot, ulong id, StateWord after)
    {
        var record = cell.Arena.Results.Bytes(slot.ResultBlock, (int)slot.ResultBytes);
        var isRecord = ResultRecord.TryRead(record, out var error, out var output);
        Invariant.That(isRecord);
        var outcome = (Outcome)slot.AttemptOutcome;
        world.Record(
            new(
                world.NowUs,
                nameof(Role.Register),
                HistoryOp.Accept,
                id,
                world.KeyOf.GetValueOrDefault(id),
                after.Attempt.Value,
                Outcome: outcome == Outcome.Succeeded ? HistoryOutcome.Ok : HistoryOutcome.Refused,
                Value: TaskBytes.HashResult(outcome, output, TaskBytes.ErrorMessage(error)),
                Detail: Reporting),
            (int)role);
    }

    private void Record(Role role, HistoryOp op, ulong id, uint attempt = 0, ulong value = 0, ulong detail = 0) =>
        world.Record(
            new(
                world.NowUs,
                cell.Roles[(int)role].Name,
                op,
                id,
                world.KeyOf.GetValueOrDefault(id),
                attempt,
                Value: value,
                Detail: detail),
            (int)role);
}
