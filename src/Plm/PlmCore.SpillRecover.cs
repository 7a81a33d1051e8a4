// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// Takeover of what waits, here and on disk; and telling the journal of what is on disk. A successor believes the
/// state of each extent: slots of one that is on disk, or of none, are copies and go; what is in slots says which of
/// the extent's ids are in use.
/// </content>
internal sealed partial class PlmCore
{
    private uint _snapshotExtentAt;

    // Before any block is claimed.
    private Fault RecoverSlotsOfExtents()
    {
        var end = _extentRows.HighWater;
        CoverExtents(end);
        for (uint extent = 0; extent < end; extent++)
        {
            if (_extentRows.State(extent) is SpillState.Held or SpillState.Released)
            {
                _extentRows.Live(extent).Clear();
            }
            else if (_extentRows.State(extent) == SpillState.Spilled && _spill is null)
            {
                return new(
                    FaultCode.StateFolderUnusable,
                    "tasks of this cell wait in its state folder; start it with the state folder that it had");
            }
        }

        for (uint index = 0; index < _tasks.HighWater && end > 0; index++)
        {
            if (_tasks.Read(index).State == TaskState.Free || _tasks[index].MovedSlot is not (var moved and not 0))
            {
                continue;
            }

            var extent = SpillTable.ExtentOf(moved);
            if (!Safeguard.CopiesGo && _extentRows.State(extent) == SpillState.Spilled)
            {
                _extentRows.SetState(extent, SpillState.Released);
            }

            if (_extentRows.State(extent) is SpillState.Held or SpillState.Released)
            {
                SpillRow.Set(_extentRows.Live(extent), SpillTable.PlaceOf(moved));
                _extentRows.Map(moved, index);
                _extents[extent].InSlots++;
                _heldCount += _extentRows.State(extent) == SpillState.Held ? 1 : 0;
            }
            else
            {
                // Its block is claimed by nobody, and the slot is listed with the other free ones.
                StepCopyToFree(index);
            }
        }

        CrashPoint.Hit("plm.recover.copies-gone");
        return Fault.None;
    }

    // After a restore, if there was one.
    private long RecoverHolds()
    {
        _freeExtents.Clear();
        var waiting = new List<(ulong Order, uint Extent)>();
        long spilled = 0;
        for (uint extent = 0; extent < _extentRows.HighWater; extent++)
        {
            _lastOrder = Math.Max(_lastOrder, _extentRows[extent].Order);
            switch (_extentRows.State(extent))
            {
                case SpillState.Free:
                    _freeExtents.Push(extent);
                    break;
                case SpillState.Released when _extents[extent].InSlots == 0:
                case SpillState.Held when _extents[extent].InSlots == 0:
                    FreeExtent(extent);
                    break;
                case SpillState.Held:
                    QueueWrite(extent);
                    waiting.Add((_extentRows[extent].Order, extent));
                    break;
                case SpillState.Spilled:
                    waiting.Add((_extentRows[extent].Order, extent));
                    spilled += RecoverSpilled(extent);
                    break;
                default:
                    break;
            }
        }

        waiting.Sort();
        foreach (var (_, extent) in waiting)
        {
            AppendHold(HoldOf(_extentRows[extent].Class), extent);
        }

        SetNow(CellCounter.SpilledNow, spilled);
        _spill?.KeepOnly((extent, generation) => extent < _extentRows.HighWater
            && _extentRows[extent].Generation == generation
            && _extentRows.State(extent) == SpillState.Spilled);
        return spilled;
    }

    private int RecoverSpilled(uint extent)
    {
        ref var row = ref _extentRows[extent];
        if (row.RunBytes > 0)
        {
            var runs = _spill!.ReadStart(extent, row.Generation, (int)row.RunBytes);
            var owned = new List<SpillRun>();
            SpillBody.ReadRuns(runs, run =>
            {
                owned.Add(run);
                SessionOf(run)?.NoteSpilled(extent, CountLive(extent, run));
            });
            NoteOwners(extent, owned);
        }

        if (row.DueUnixMs != 0)
        {
            _spillDues.Enqueue((extent, row.Generation), row.DueUnixMs);
        }

        if (_extentRows.Cancelled(extent).ContainsAnyExcept(0UL))
        {
            Want(extent);
        }

        if (TellEverything)
        {
            TellSpilled(extent, _spill!.ReadNow(extent, row.Generation));
        }

        return CountLive(extent);
    }

    private int CountLive(uint extent)
    {
        var count = 0;
        foreach (var word in _extentRows.Live(extent))
        {
            count += System.Numerics.BitOperations.PopCount(word);
        }

        return count;
    }

    // A restore writes tasks that turn out to have been let go.
    private uint CountLive(uint extent, SpillRun run)
    {
        var live = _extentRows.Live(extent);
        uint count = 0;
        for (uint at = 0; at < run.Count; at++)
        {
            count += SpillRow.IsSet(live, (int)(run.FirstPlace + at)) ? 1u : 0;
        }

        return count;
    }

    private PlmSession? SessionOf(SpillRun run) =>
        run.Client != 0
        && _sessions[run.Client - 1] is { } session
        && _arena.Clients[session.Row].Sessions == run.Session
            ? session
            : null;

    // Those of a session's refs whose tasks are on disk.
    private void CollectSpilled(PlmSession session, ulong first, ulong last, List<KnownRef> known)
    {
        foreach (var extent in session.SpilledIn.Keys)
        {
            ref var row = ref _extentRows[extent];
            var generation = row.Generation;
            var runs = _spill!.ReadStart(extent, generation, (int)row.RunBytes);
            SpillBody.ReadRuns(runs, run =>
            {
                for (uint at = 0; at < run.Count && SessionOf(run) == session; at++)
                {
                    var number = run.FirstRef + at;
                    var place = (int)(run.FirstPlace + at);
                    if (number >= first && number <= last && SpillRow.IsSet(_extentRows.Live(extent), place))
                    {
                        var slot = SpillTable.SlotOf(extent, place);
                        known.Add(new KnownRef(number, new TaskId(slot, generation)));
                    }
                }
            });
        }
    }

    // A part of a snapshot: one extent a turn. False: there is more.
    private bool TellSpilledSlice()
    {
        while (_snapshotExtentAt < _extentRows.HighWater)
        {
            var extent = _snapshotExtentAt;
            if (_extentRows.State(extent) != SpillState.Spilled || _extents[extent].ToldIn == _snapshotBegin)
            {
                _snapshotExtentAt++;
                continue;
            }

            if (!_spill!.TryRead(extent, _extentRows[extent].Generation, out var body))
            {
                return false;
            }

            TellSpilled(extent, body);
            _extents[extent].ToldIn = _snapshotBegin;
            _snapshotExtentAt++;
            if (_snapshotExtentAt < _extentRows.HighWater
                && _extentRows.State(_snapshotExtentAt) == SpillState.Spilled)
            {
                _spill.Prefetch(_snapshotExtentAt, _extentRows[_snapshotExtentAt].Generation);
            }

            return false;
        }

        return true;
    }

    private void TellSpilled(uint extent, ReadOnlySpan<byte> body)
    {
        var live = _extentRows.Live(extent);
        var cancelled = _extentRows.Cancelled(extent);
        var generation = _extentRows[extent].Generation;
        var reader = new FactReader(body[(int)_extentRows[extent].RunBytes..]);
        _bodyProfiles.Clear();
        while (!reader.IsEmpty)
        {
            var record = SpillRecord.Read(ref reader);
            ref readonly var profile = ref _bodyProfiles.Of(record);
            if (profile.Durability <= DurabilityLevel.Memory || !SpillRow.IsSet(live, (int)record.Place))
            {
                continue;
            }

            // Not from a row: there may be none left for it.
            var slot = default(TaskSlot);
            FillFrom(ref slot, TaskSpec.Of(0, profile), record);
            var session = SessionOf(in slot);
            var id = new TaskId(SpillTable.SlotOf(extent, (int)record.Place), generation);
            var number = TellSpilledProfile(profile);
            BeginSubmitted(in slot, number, session?.ClientId ?? 0, session?.DecidedRef ?? 0, slot.Ref);
            WriteItem(id.Value, KeyOf(record, id), 0, record.Payload);
            _facts.End();
            if (SpillRow.IsSet(cancelled, (int)record.Place))
            {
                WriteCancelled(id, _spilledEndTexts.GetValueOrDefault(id.Value));
            }

            AppendIfLarge();
        }
    }
}
