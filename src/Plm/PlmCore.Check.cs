// SPDX-License-Identifier: Apache-2.0
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>What must hold between turns, for tests and simulation: each index against the slots.</content>
internal sealed partial class PlmCore
{
    /// <summary>Compares every local index with the slots. Costs one pass over all slots in use.</summary>
    public void CheckInvariants()
    {
        Invariant.That(!_inTurn && !_batchOpen && _pushCount == 0 && _countAfterPush.Count == 0 && _dirty.Count == 0);
        _timers.CheckInvariants();
        _deadlines.CheckInvariants();
        _profiles.CheckInvariants(_tasks);
        CheckKeys();
        CheckHolds();
        var seen = new bool[_tasks.HighWater];
        CheckList(_free, TaskState.Free, 0, seen);
        CheckList(_releasing, TaskState.Done, 0, seen);
        uint live = 0;
        uint ended = 0;
        foreach (var session in _sessions)
        {
            if (session is not null)
            {
                CheckSession(session, seen);
                live += session.Live.Count;
                ended += session.Ended.Count;
            }
        }

        uint free = 0;
        uint owned = 0;
        for (uint index = 0; index < _tasks.HighWater; index++)
        {
            var word = _tasks.Read(index);
            free += word.State == TaskState.Free ? 1u : 0;
            owned += word.State != TaskState.Free && _tasks[index].Client != 0 && !IsReleased(index) ? 1u : 0;
            CheckSlot(index, word);
        }

        Invariant.That(free == _free.Count + RetiredSlots);
        Invariant.That(owned == live + ended);
    }

    private void CheckHolds()
    {
        var inSlots = new int[_extentRows.HighWater];
        for (uint index = 0; index < _tasks.HighWater; index++)
        {
            if (_tasks.Read(index).State != TaskState.Free && _tasks[index].MovedSlot is var moved and not 0)
            {
                var extent = SpillTable.ExtentOf(moved);
                inSlots[extent]++;
                Invariant.That(_extentRows.State(extent) is SpillState.Held or SpillState.Released);
                Invariant.That(_extentRows.IndexOf(moved) == index);
                Invariant.That(SpillRow.IsSet(_extentRows.Live(extent), SpillTable.PlaceOf(moved)));
            }
        }

        long spilled = 0;
        long held = 0;
        for (uint extent = 0; extent < inSlots.Length; extent++)
        {
            var state = _extentRows.State(extent);
            Invariant.That(state == SpillState.Spilled || inSlots[extent] == _extents[extent].InSlots);
            Invariant.That(state is SpillState.Held or SpillState.Released || inSlots[extent] == 0);
            Invariant.That(state != SpillState.Released || inSlots[extent] > 0);
            spilled += state == SpillState.Spilled ? CountLive(extent) : 0;
            held += state == SpillState.Held ? inSlots[extent] : 0;
        }

        Invariant.That(spilled == (long)_arena.Counter(CellCounter.SpilledNow) && held == _heldCount);
        CheckQueues();
    }

    private void CheckQueues()
    {
        foreach (var queue in _holds)
        {
            Invariant.That(queue.IsListed && queue.Head != 0 && (queue.Open == 0 || queue.Open == queue.Tail));
            ulong order = 0;
            uint last = 0;
            for (var at = queue.Head; at != 0; at = _extents[at - 1].Next)
            {
                Invariant.That(_extentRows.State(at - 1) is SpillState.Held or SpillState.Spilled);
                Invariant.That(_extentRows[at - 1].Class == queue.Class && _extentRows[at - 1].Order >= order);
                order = _extentRows[at - 1].Order;
                last = at;
            }

            Invariant.That(queue.Tail == last);
        }
    }

    private bool IsReleased(uint index) => (_tasks[index].Flags & SlotFlags.Released) != 0;

    private void CheckSlot(uint index, StateWord word)
    {
        ref var slot = ref _tasks[index];
        if (word.State == TaskState.Free)
        {
            Invariant.That(!_timers.IsSet(index) && !_deadlines.IsSet(index));
            Invariant.That(_index[index].Awaiter == 0 && _index[index].Key == 0);
            return;
        }

        Invariant.That(word.GenerationLow == (uint)slot.Generation);
        Invariant.That(word.State != TaskState.Accepted || MayBeAccepted(index));
        Invariant.That(word.State == TaskState.Done == (slot.Outcome != 0));
        Invariant.That(_deadlines.IsSet(index)
            == (word.State != TaskState.Done && ProfileOf(in slot).TotalTimeoutMs != 0));
        Invariant.That(!IsPublished(in slot) || _index[index].Awaiter == 0);
        Invariant.That(!IsPublished(in slot) || word.State == TaskState.Done);
        Invariant.That(word.State != TaskState.Delayed || _timers.IsSet(index));
        Invariant.That(
            !IsPublished(in slot) || slot.Client != 0 || IsReleased(index) || _timers.IsSet(index));
        Invariant.That(slot.AttemptsFailed <= ProfileOf(in slot).AttemptsMax);
        Invariant.That(slot.AttemptsLost <= TaskLimits.LostAttemptsMax);
    }

    private void CheckSession(PlmSession session, bool[] seen)
    {
        Invariant.That(!session.IsForgotten && _sessionsById[(session.ClientId, session.Owner)] == session);
        Invariant.That(_arena.Clients[session.Row].ClientId == session.ClientId);
        Invariant.That(_arena.Clients[session.Row].Owner == session.Owner);
        Invariant.That(_arena.Clients[session.Row].DecidedRef == session.DecidedRef);
        CheckList(session.Live, null, session.Row + 1, seen);
        CheckList(session.Ended, TaskState.Done, session.Row + 1, seen);
        Invariant.That(session.Unconfirmed <= session.Ended.Count && session.Unconfirmed <= session.UnconfirmedMax);
        if (session.Stream is null)
        {
            Invariant.That(session.NextUndelivered == 0 && session.Unconfirmed == 0);
            return;
        }

        // The first so many are unconfirmed; the one after them is the next to deliver.
        var at = session.Ended.Head;
        for (uint skipped = 0; skipped < session.Unconfirmed; skipped++)
        {
            at = _index[at - 1].Next;
        }

        Invariant.That(at == session.NextUndelivered);
        Invariant.That(at == 0 || session.IsStalled || session.Unconfirmed == session.UnconfirmedMax);
    }

    private void CheckList(SlotList list, TaskState? state, uint client, bool[] seen)
    {
        uint count = 0;
        uint previous = 0;
        for (var at = list.Head; at != 0; at = _index[at - 1].Next)
        {
            Invariant.That(!seen[at - 1] && _index[at - 1].Previous == previous);
            seen[at - 1] = true;
            var word = _tasks.Read(at - 1);
            Invariant.That(state is null ? word.State != TaskState.Free : word.State == state);
            Invariant.That(state is not null || !IsPublished(in _tasks[at - 1]));
            Invariant.That(client == 0 || _tasks[at - 1].Client == client);
            previous = at;
            count++;
        }

        Invariant.That(count == list.Count && list.Tail == previous);
    }
}
