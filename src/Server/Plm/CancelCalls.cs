// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Identity.Credentials;
using Muster.Plm;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.V1;
using TaskState = Muster.Core.Tasks.TaskState;
using WireState = Muster.V1.TaskState;

namespace Muster.Server.PlmHosting;

/// <summary>
/// SubmissionService.CancelTasks. A filter is looked up in the arena without a turn, and what it found is cancelled by
/// id: a task that moved on meanwhile is answered for itself, as any other. Turns are short, whatever is asked for.
/// A caller without the right to operate finds its own tasks only.
/// </summary>
internal sealed class CancelCalls(PlmHost host, Caller caller)
{
    // Ids of one turn: some tenths of a millisecond.
    private const int IdsPerTurn = 1_000;

    private readonly ArenaMap _arena = host.Options.Arena;
    private readonly ushort? _owner = caller.LimitUnless(Rights.Operate);

    public async Task<CancelTasksResponse> CancelAsync(CancelTasksRequest request)
    {
        FaultStatus.ThrowIfFault(Check(request));
        var response = new CancelTasksResponse();
        ulong[] ids;
        if (request.Filter is null)
        {
            ids = [.. request.TaskIds];
        }
        else
        {
            ids = Find(request.Filter, out var more);
            response.More = more;
        }

        var answers = new CancelAnswer[ids.Length];
        var states = new TaskState[ids.Length];
        if (request.DryRun)
        {
            FaultStatus.ThrowIfFault(host.Refusal);
            Foresee(ids, answers, states);
        }
        else
        {
            // What is answered as cancelled stays so, and what is answered as done too.
            await host.WhenReached(Cancel(ids, answers, states, TextOf(request)), DurabilityLevel.Durable);
        }

        for (var at = 0; at < ids.Length; at++)
        {
            if (request.Filter is null)
            {
                response.Statuses.Add((CancelStatus)answers[at]);
            }

            response.Tasks.Add(new CancelledTask
            {
                TaskId = ids[at],
                Status = (CancelStatus)answers[at],
                Was = answers[at] == CancelAnswer.NotFound ? WireState.Unspecified : TaskInfos.StateOf(states[at]),
            });
        }

        return response;
    }

    private ulong Cancel(ulong[] ids, CancelAnswer[] answers, TaskState[] states, byte[] text)
    {
        ulong sequence = 0;
        for (var first = 0; first < ids.Length || first == 0; first += IdsPerTurn)
        {
            var start = first;
            var count = Math.Min(IdsPerTurn, ids.Length - start);
            sequence = host.Run((core, _) =>
            {
                core.Cancel(
                    ids.AsSpan(start, count),
                    answers.AsSpan(start, count),
                    text,
                    states.AsSpan(start, count),
                    _owner);
                return core.SealFacts();
            });
        }

        return sequence;
    }

    private Fault Check(CancelTasksRequest request)
    {
        if (request.TaskIds.Count > TaskLimits.BatchItemsMax)
        {
            return new(FaultCode.BatchTooLarge,
                $"the request names {request.TaskIds.Count} tasks and the limit is {TaskLimits.BatchItemsMax}; "
                + "split it");
        }

        if (request.Filter is { } filter)
        {
            if (request.TaskIds.Count > 0)
            {
                return new(FaultCode.InvalidArgument, "the request has ids and a filter; send one of them");
            }

            if (filter.States.Count == 0 && filter.Handler.Length == 0 && filter.WorkerId == 0
                && filter.SubmittedBeforeUnixUs == 0)
            {
                return new(FaultCode.InvalidArgument,
                    "the filter is empty and would match every task; name the states to cancel if that is meant");
            }
        }

        return TextOf(request).Length <= TaskLimits.CancelTextBytesMax
            ? Fault.None
            : new(FaultCode.InvalidArgument, "actor and reason have more than "
                + $"{TaskLimits.CancelTextBytesMax - 16} bytes together; say it in fewer words");
    }

    // Who has an identity is named by it, whatever the request says.
    private byte[] TextOf(CancelTasksRequest request) =>
        (caller.Credential?.Name ?? request.Actor, request.Reason) switch
        {
            ("", "") => [],
            ("", var reason) => Encoding.UTF8.GetBytes($"cancelled: {reason}"),
            (var actor, "") => Encoding.UTF8.GetBytes($"cancelled by {actor}"),
            var (actor, reason) => Encoding.UTF8.GetBytes($"cancelled by {actor}: {reason}"),
        };

    private ulong[] Find(TaskFilter filter, out bool more)
    {
        FaultStatus.ThrowIfFault(host.Refusal);
        var found = new List<ulong>();
        var states = new HashSet<WireState>(filter.States);
        more = FindInSlots(filter, states, found) || FindOnDisk(filter, states, found);
        return [.. found];
    }

    // True: there are more than one call takes.
    private bool FindInSlots(TaskFilter filter, HashSet<WireState> states, List<ulong> found)
    {
        var tasks = _arena.Tasks;
        for (uint index = 0; index < tasks.HighWater; index++)
        {
            var word = tasks.Read(index);
            if (word.State is TaskState.Free or TaskState.Done)
            {
                continue;
            }

            ref var slot = ref tasks[index];
            var worker = slot.Worker - 1;
            var id = tasks.IdOf(index).Value;
            var matches = (states.Count == 0 || states.Contains(TaskInfos.StateOf(word.State)))
                && IsOf(filter, _arena.Profiles[slot.Profile].Handler)
                && (filter.WorkerId == 0
                    || (worker < _arena.Workers.HighWater && _arena.Workers.IdOf(worker) == filter.WorkerId))
                && (filter.SubmittedBeforeUnixUs == 0 || slot.SubmittedUnixUs < filter.SubmittedBeforeUnixUs);

            matches = matches && (_owner is null || slot.Owner == _owner);

            // What was read belongs together only if nothing moved meanwhile; a task that moved is met by a repetition.
            if (!matches || tasks.Read(index).GenerationLow != word.GenerationLow)
            {
                continue;
            }

            if (found.Count == TaskLimits.BatchItemsMax)
            {
                return true;
            }

            found.Add(id);
        }

        return false;
    }

    private bool FindOnDisk(TaskFilter filter, HashSet<WireState> states, List<ulong> found)
    {
        if ((states.Count > 0 && !states.Contains(WireState.Ready)) || filter.WorkerId != 0)
        {
            return false;
        }

        var spill = _arena.Spill;
        var owned = new ulong[SpillRow.Words];
        for (uint extent = 0; extent < spill.HighWater; extent++)
        {
            // An extent's own moment is that of its first task, or a little later.
            var isLate = filter.SubmittedBeforeUnixUs != 0 && (long)spill[extent].Order >= filter.SubmittedBeforeUnixUs;
            if (isLate || spill.State(extent) != SpillState.Spilled
                || !IsOf(filter, _arena.Ready.ClassOf(spill[extent].Class).Handler))
            {
                continue;
            }

            var generation = MarkOwned(extent, owned);
            for (var place = 0; place < spill[extent].Count; place++)
            {
                var id = new TaskId(SpillTable.SlotOf(extent, place), generation);
                if (!SpillRow.IsSet(owned, place)
                    || !spill.IsSpilled(id)
                    || SpillRow.IsSet(spill.Cancelled(extent), place))
                {
                    continue;
                }

                if (found.Count == TaskLimits.BatchItemsMax)
                {
                    return true;
                }

                found.Add(id.Value);
            }
        }

        return false;
    }

    // The places of an extent that the caller may touch, and the generation of their ids.
    private ulong MarkOwned(uint extent, ulong[] places)
    {
        if (_owner is { } owner)
        {
            return host.Run((core, _) => core.MarkOwned(extent, owner, places));
        }

        places.AsSpan().Fill(ulong.MaxValue);
        return _arena.Spill[extent].Generation;
    }

    private bool IsOwn(TaskId id) => _owner is null || host.Run((core, _) => core.IsOwn(id, _owner));

    private bool IsOf(TaskFilter filter, ushort handler) =>
        filter.Handler.Length == 0
        || (handler < _arena.Handlers.Count && _arena.Handlers.Name(handler) == filter.Handler);

    // What Cancel would answer now.
    private void Foresee(ulong[] ids, CancelAnswer[] answers, TaskState[] states)
    {
        for (var at = 0; at < ids.Length; at++)
        {
            var id = new TaskId(ids[at]);
            if (!IsOwn(id))
            {
                answers[at] = CancelAnswer.NotFound;
            }
            else if (_arena.Spill.IsSpilled(id))
            {
                var isCancelled = SpillRow.IsSet(
                    _arena.Spill.Cancelled(SpillTable.ExtentOf(id.Slot)), SpillTable.PlaceOf(id.Slot));
                answers[at] = isCancelled ? CancelAnswer.AlreadyCancelled : CancelAnswer.Cancelled;
                states[at] = TaskState.Accepted;
            }
            else if (!_arena.Tasks.TryFind(id, out var index, out var word)
                || (_arena.Tasks[index].Flags & SlotFlags.Released) != 0)
            {
                answers[at] = CancelAnswer.NotFound;
            }
            else
            {
                states[at] = word.State;
                answers[at] = word.State != TaskState.Done ? CancelAnswer.Cancelled
                    : _arena.Tasks[index].Outcome == (byte)Outcome.Cancelled ? CancelAnswer.AlreadyCancelled
                    : CancelAnswer.AlreadyDone;
            }
        }
    }
}
