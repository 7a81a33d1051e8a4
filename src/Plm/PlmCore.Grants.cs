// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// Tasks that may start once only, in a cell with a journal. After a power loss nobody could say which of them had
/// started, so each is granted its one start by a fact that is in the journal before the Scheduler can see it: those
/// that were granted and did not end are lost then, the others run. At most
/// <see cref="PlmLimits.GrantsMax"/> are granted at a time, so that a backlog of millions is not lost because it might
/// have started; the others wait in Accepted, in the order in which they came.
/// </content>
internal sealed partial class PlmCore
{
    // Accepted and durable, without a grant. At most one for each slot.
    private readonly Queue<ulong> _ungranted = new();

    // Granted in this turn, for the journal.
    private readonly List<ulong> _grants = [];
    private int _grantedNow;

    // A task that may start once only, or a power loss could make it start twice.
    private bool StartsOnce(in TaskSlot slot) =>
        ProfileOf(in slot) is { Durability: > DurabilityLevel.Memory, AttemptsMax: 1 };

    private static bool IsGranted(in TaskSlot slot) => (slot.Flags & SlotFlags.Granted) != 0;

    private bool TryGrant(uint index, ref TaskSlot slot)
    {
        if (_grantedNow >= PlmLimits.GrantsMax)
        {
            return false;
        }

        slot.Flags |= SlotFlags.Granted;
        _grantedNow++;
        _grants.Add(_tasks.IdOf(index).Value);
        return true;
    }

    // The journal has what it was told of the task: it may be scheduled, unless it needs a grant first.
    private void LetGo(uint index, ref TaskSlot slot, StateWord word)
    {
        if (StartsOnce(in slot) && !IsGranted(in slot))
        {
            _ungranted.Enqueue(_tasks.IdOf(index).Value);
        }
        else
        {
            QueuePush(index, word);
        }
    }

    private void EndGrant(in TaskSlot slot)
    {
        if (IsGranted(in slot))
        {
            _grantedNow--;
            Invariant.That(_grantedNow >= 0);
        }
    }

    private void GrantMore()
    {
        while (_grantedNow < PlmLimits.GrantsMax && _ungranted.TryDequeue(out var id))
        {
            if (_tasks.TryFind(new TaskId(id), out var index, out var word) && word.State == TaskState.Accepted)
            {
                ref var slot = ref _tasks[index];
                TryGrant(index, ref slot);
                AwaitJournal(index, in slot, isEnd: false);
            }
        }
    }

    private void WriteGrants()
    {
        if (_grants.Count > 0 && !_facts.IsOpen)
        {
            _facts.Begin(FactKind.Granted);
            foreach (var id in _grants)
            {
                _facts.Fixed64(id);
            }

            _facts.End();
            _grants.Clear();
        }
    }

    private void RestoreGranted(FactReader fact)
    {
        while (!fact.IsEmpty)
        {
            var id = fact.Fixed64();
            if (IsDeferred(id))
            {
                DeferId(id, FactKind.Granted);
            }
            else if (_tasks.TryFind(new TaskId(id), out var index, out var word)
                && word.State == TaskState.Accepted)
            {
                _tasks[index].Flags |= SlotFlags.Granted;
            }
        }
    }
}
