// SPDX-License-Identifier: Apache-2.0
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
        CheckKeys();
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

    private bool IsReleased(uint index) => (_tasks[index].Flags & SlotFlags.Released) != 0;

    private void CheckSlot(uint index, StateWord word)
    {
        ref var slot = ref _tasks[index];
        if (word.State == TaskState.Free)
        {
            Invariant.That(_index[index].Timer == 0 && _index[index].Awaiter == 0 && _index[index].Key == 0);
            return;
        }

        Invariant.That(word.GenerationLow == (uint)slot.Generation);
        Invariant.That(word.State != TaskState.Accepted || MayBeAccepted(index));
        Invariant.That(word.State == TaskState.Done == (slot.Outcome != 0));
        Invariant.That(!IsPublished(in slot) || _index[index].Awaiter == 0);
        Invariant.That(!IsPublished(in slot) || word.State == TaskState.Done);
        Invariant.That(word.State != TaskState.Delayed || _index[index].Timer != 0);
        Invariant.That(
            !IsPublished(in slot) || slot.Client != 0 || IsReleased(index) || _index[index].Timer != 0);
        Invariant.That(slot.AttemptsFailed <= slot.AttemptsMax && slot.AttemptsLost <= TaskLimits.LostAttemptsMax);
    }

    private void CheckSession(PlmSession session, bool[] seen)
    {
        Invariant.That(!session.IsForgotten && _sessionsById[session.ClientId] == session);
        Invariant.That(_arena.Clients[session.Row].ClientId == session.ClientId);
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
