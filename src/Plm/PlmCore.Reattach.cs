// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Plm;

/// <content>
/// Workers may have outlived the arena, and run tasks that came back from the journal. Such tasks are held back, in
/// Accepted, for as long as a worker's lease: the Register gives them to the workers that say they hold them. What
/// nobody claimed until then goes to the heap; a task that may start once only ends as lost, because it may have.
/// </content>
internal sealed partial class PlmCore
{
    private readonly HashSet<ulong> _heldBack = [];
    private long _heldBackUntilMs = long.MaxValue;
    private bool _mayBeClaimed;

    private void HoldBack(uint index)
    {
        _heldBack.Add(_tasks.IdOf(index).Value);
        _heldBackUntilMs = _now.Ms;
    }

    private void RunHeldBack()
    {
        if (_heldBackUntilMs > _now.Ms)
        {
            return;
        }

        // Nobody can claim anything before there is a Register to say it to.
        if (_options.ReattachMs > 0 && !_mayBeClaimed)
        {
            _mayBeClaimed = _arena.Counter(CellCounter.RegisterStarts) != 0;
            _heldBackUntilMs = _now.Ms + (_mayBeClaimed ? _options.ReattachMs : PlmLimits.RegisterLookMs);
            return;
        }

        _heldBackUntilMs = long.MaxValue;
        foreach (var id in _heldBack)
        {
            if (!_tasks.TryFind(new TaskId(id), out var index, out var word) || word.State != TaskState.Accepted)
            {
                continue;
            }

            ref var slot = ref _tasks[index];
            if (StartsOnce(in slot) && IsGranted(in slot))
            {
                // False: a worker claimed it at this very moment.
                TryEnd(index, word, FaultCode.WorkerLost);
            }
            else
            {
                LetGo(index, ref slot, word);
            }
        }

        _heldBack.Clear();
        _heldBack.TrimExcess();
        FlushPushes();
        _arena.Set(CellCounter.HoldsBack, 0);
    }

    private bool IsHeldBack(uint index) => _heldBack.Count > 0 && _heldBack.Contains(_tasks.IdOf(index).Value);

    private bool MayBeAccepted(uint index) =>
        StartsOnce(in _tasks[index]) || _heldBack.Count > 0 || IsHeld(in _tasks[index]);
}
