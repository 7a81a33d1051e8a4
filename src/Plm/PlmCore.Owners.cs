// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// Whose a task is. The number of the identity that submitted it stands in its slot, and on disk in its record; of
/// those on disk it is also kept here, where it changes along an extent's places, so that no question reads a file.
/// Who may touch only its own is answered about others' tasks as about tasks that never were.
/// </content>
internal sealed partial class PlmCore
{
    // By extent on disk, in the order of places; no entry: all are the cell's own user's. At most 4 KiB each.
    private readonly Dictionary<uint, List<(ushort Place, ushort Owner)>> _ownersOnDisk = [];

    /// <summary>
    /// Marks the places of an extent on disk that are the identity's.
    /// </summary>
    /// <returns>The generation of the extent's ids; 0: it is not on disk.</returns>
    public ulong MarkOwned(uint extent, ushort owner, Span<ulong> places)
    {
        Invariant.That(_inTurn && places.Length == SpillRow.Words);
        places.Clear();
        if (extent >= _extentRows.HighWater || _extentRows.State(extent) != SpillState.Spilled)
        {
            return 0;
        }

        for (var place = 0; place < _extentRows[extent].Count; place++)
        {
            if (OwnerOnDisk(extent, place) == owner)
            {
                SpillRow.Set(places, place);
            }
        }

        return _extentRows[extent].Generation;
    }

    /// <summary>Whether a task, wherever it is, is the identity's.</summary>
    public bool IsOwn(TaskId id, ushort? owner) =>
        _extentRows.IsSpilled(id)
            ? IsOwnSpilled(id, owner)
            : _tasks.TryFind(id, out var index, out _) && (owner is null || _tasks[index].Owner == owner);

    private bool IsOwnSpilled(TaskId id, ushort? owner) =>
        owner is null || OwnerOnDisk(SpillTable.ExtentOf(id.Slot), SpillTable.PlaceOf(id.Slot)) == owner;

    private ushort OwnerOnDisk(uint extent, int place)
    {
        if (!_ownersOnDisk.TryGetValue(extent, out var changes))
        {
            return 0;
        }

        var (low, high) = (0, changes.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = changes[middle].Place <= place ? (middle + 1, high) : (low, middle);
        }

        return low == 0 ? (ushort)0 : changes[low - 1].Owner;
    }

    // A restore writes tasks in the order of the journal, so runs may stand in any.
    private void NoteOwners(uint extent, List<SpillRun> runs)
    {
        _ownersOnDisk.Remove(extent);
        runs.Sort(static (one, other) => one.FirstPlace.CompareTo(other.FirstPlace));
        foreach (var run in runs)
        {
            NoteOwner(extent, run.FirstPlace, run.Count, run.Owner);
        }
    }

    // In the order of places.
    private void NoteOwner(uint extent, uint place, uint count, ushort owner)
    {
        if (!_ownersOnDisk.TryGetValue(extent, out var changes))
        {
            if (owner == 0)
            {
                return;
            }

            _ownersOnDisk.Add(extent, changes = []);
        }

        // What was said of the places behind the run before: nobody in particular.
        if (changes.Count > 0 && changes[^1].Place == place)
        {
            changes.RemoveAt(changes.Count - 1);
        }

        if (changes.Count == 0 || changes[^1].Owner != owner)
        {
            changes.Add(((ushort)place, owner));
        }

        if (place + count < SpillTable.ExtentTasksMax && owner != 0)
        {
            changes.Add(((ushort)(place + count), 0));
        }
    }
}
