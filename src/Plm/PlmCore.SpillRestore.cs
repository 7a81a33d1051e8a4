// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena;
using Muster.Arena.Spill;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;
using Muster.Plm.Spill;

namespace Muster.Plm;

/// <content>
/// Tasks whose ids name no slot come back from the journal into files, so that a backlog larger than the arena can be
/// restored. What the journal says of them beyond their submission is kept until everything was replayed: then their
/// extents are brought into the arena, where they were when it was said, and earlier ones of their classes while there
/// is room. Tasks that were only cancelled stay on disk, where they were.
/// </content>
internal sealed partial class PlmCore
{
    private const int RestoredBodiesMax = 64;

    private readonly Dictionary<uint, RestoredBody> _bodies = [];
    private readonly Dictionary<ulong, List<(FactKind Kind, byte[] Fact)>> _deferred = [];
    private readonly Dictionary<ulong, uint> _restoredKeys = [];
    private bool _appliesDeferred;

    // An extent while its tasks are gathered.
    private sealed record RestoredBody(SpillBody Body, long Age);

    private bool IsDeferred(ulong id) => !_appliesDeferred && SpillTable.Covers(new TaskId(id).Slot);

    private void Defer(ulong id, FactKind kind, ReadOnlySpan<byte> fact)
    {
        if (!IsRestored(new TaskId(id)))
        {
            return;
        }

        if (!_deferred.TryGetValue(id, out var facts))
        {
            facts = [];
            _deferred.Add(id, facts);
        }

        facts.Add((kind, fact.ToArray()));
    }

    private void DeferEnded(in EndedFact fact)
    {
        var writer = new FactWriter();
        fact.Write(writer);
        Defer(fact.Id, FactKind.Ended, writer.Written);

        // The key counts from now on, also when the task is let go before it is brought in.
        if (_restoredKeys.TryGetValue(fact.Id, out var row) && _arena.Keys[row].TaskId == fact.Id)
        {
            _arena.Keys[row].ExpiresUnixMs = fact.KeyExpiresUnixMs;
        }
    }

    private void DeferId(ulong id, FactKind kind)
    {
        Span<byte> fact = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(fact, id);
        Defer(id, kind, fact);
    }

    private bool IsRestored(TaskId id) =>
        _extentRows.TryFindExtent(id, out var extent)
        && _extentRows.State(extent) == SpillState.Spilled
        && SpillRow.IsSet(_extentRows.Live(extent), SpillTable.PlaceOf(id.Slot));

    private void ForgetRestoredExtents()
    {
        for (uint extent = 0; extent < _extentRows.HighWater; extent++)
        {
            _extentRows.SetState(extent, SpillState.Free);
            _extentRows[extent].Generation = 0;
            _extents[extent] = default;
        }

        _bodies.Clear();
        _deferred.Clear();
        _restoredKeys.Clear();
        _spill?.KeepOnly((_, _) => false);
    }

    private void RestoreToFile(in SubmittedItem item, PlmSession? session, in SubmittedFact common, in TaskSpec spec)
    {
        var id = new TaskId(item.Id);
        var extent = SpillTable.ExtentOf(id.Slot);
        if (_spill is null || extent >= _extentRows.Capacity)
        {
            _restoreFault = TooSmall($"the journal holds tasks that waited on disk, as many as {extent + 1} times "
                + $"{SpillTable.ExtentTasksMax} ids (--spilled-max)");
            return;
        }

        if (!TryUseExtent(extent, id.Generation, spec.Class, common.SubmittedUnixUs))
        {
            return;
        }

        var place = SpillTable.PlaceOf(id.Slot);
        if (SpillRow.IsSet(_extentRows.Live(extent), place))
        {
            return;
        }

        var key = 0u;
        if (item.Key is { } known && !TryRestoreKeyOf(id, known, spec.Durability, item.KeyRetentionMs, out key))
        {
            return;
        }

        ref var row = ref _extentRows[extent];
        SpillRow.Set(_extentRows.Live(extent), place);
        row.Count = (ushort)Math.Max(row.Count, place + 1);
        row.Order = Math.Min(row.Order, (ulong)common.SubmittedUnixUs);
        BodyOf(extent).Add(new SpillRecord
        {
            Place = (uint)place,
            IsUnretained = (common.Flags & SubmittedFact.FlagUnretained) != 0,
            DueUnixMs = common.ExpiresUnixMs,
            SubmittedUnixUs = common.SubmittedUnixUs,
            Key = key,
            Client = session is null ? 0 : session.Row + 1,
            Session = session is null ? 0 : _arena.Clients[session.Row].Sessions,
            Ref = session is null ? 0 : common.FirstRef + item.RefOffset,
            Owner = spec.Owner,
            Payload = item.Payload,
        }, _profiles[spec.Profile]);
        if (session is not null)
        {
            session.Restored++;
        }
    }

    private bool TryRestoreKeyOf(TaskId id, in TaskKey key, byte durability, uint retentionMs, out uint row)
    {
        row = 0;
        if (_keys.TryFind(key.High, key.Low, out var earlier))
        {
            ForgetKey(earlier);
        }

        if (HasRoomToRestoreKey())
        {
            row = AddKeyRow(id, key, durability, retentionMs) + 1;
            _restoredKeys[id.Value] = row - 1;
        }

        return _restoreFault.IsNone;
    }

    // False: the journal speaks of an earlier use of the extent, which is over.
    private bool TryUseExtent(uint extent, ulong generation, ushort classId, long submittedUnixUs)
    {
        while (_extentRows.HighWater <= extent)
        {
            var next = _extentRows.HighWater;
            if (!_extentRows.TryReserve(next))
            {
                _restoreFault = TooSmall("there is no memory for the ids of tasks that waited on disk");
                return false;
            }

            _extentRows.HighWater = next + 1;
            CoverExtents(next + 1);
        }

        ref var row = ref _extentRows[extent];
        if (row.Generation == generation)
        {
            // All that was told of it before may have been let go.
            _extentRows.SetState(extent, SpillState.Spilled);
            return true;
        }

        if (row.Generation > generation)
        {
            return false;
        }

        DropRestored(extent);
        row.Generation = generation;
        row.Class = classId;
        row.Count = 0;
        row.Order = (ulong)submittedUnixUs;
        row.BodyBytes = 0;
        row.RunBytes = 0;
        row.DueUnixMs = 0;
        _extentRows.Live(extent).Clear();
        _extentRows.Cancelled(extent).Clear();
        _extentRows.SetState(extent, SpillState.Spilled);
        return true;
    }

    private SpillBody BodyOf(uint extent)
    {
        if (_bodies.TryGetValue(extent, out var found))
        {
            return found.Body;
        }

        if (_bodies.Count >= RestoredBodiesMax)
        {
            WriteRestored(_bodies.MinBy(each => each.Value.Age).Key);
        }

        var body = new SpillBody();
        if (_extentRows[extent].BodyBytes > 0)
        {
            // It was written already, and something of it is told only now.
            var bytes = _spill!.ReadNow(extent, _extentRows[extent].Generation);
            var reader = new FactReader(bytes[(int)_extentRows[extent].RunBytes..]);
            _bodyProfiles.Clear();
            while (!reader.IsEmpty)
            {
                var record = SpillRecord.Read(ref reader);
                body.Add(record, _bodyProfiles.Of(record));
            }
        }

        _bodies.Add(extent, new RestoredBody(body, ++_bodyAge));
        return body;
    }

    private long _bodyAge;

    private void WriteRestored(uint extent)
    {
        _bodies.Remove(extent, out var restored);
        ref var row = ref _extentRows[extent];
        var bytes = restored!.Body.Finish();
        row.BodyBytes = (uint)bytes.Length;
        row.RunBytes = (uint)restored.Body.RunBytes;
        row.DueUnixMs = restored.Body.DueUnixMs;
        var fault = _spill!.WriteNow(extent, row.Generation, bytes);
        _restoreFault = _restoreFault.IsNone ? fault : _restoreFault;
    }

    private void ReleaseRestored(TaskId id)
    {
        _deferred.Remove(id.Value);
        _restoredKeys.Remove(id.Value);
        if (IsRestored(id))
        {
            var extent = SpillTable.ExtentOf(id.Slot);
            SpillRow.Clear(_extentRows.Live(extent), SpillTable.PlaceOf(id.Slot));
            if (CountLive(extent) == 0)
            {
                DropRestored(extent);
            }
        }
    }

    // Nothing of it is left, or a later use of its ids proves that.
    private void DropRestored(uint extent)
    {
        if (_extentRows.State(extent) != SpillState.Spilled)
        {
            return;
        }

        _extentRows.SetState(extent, SpillState.Free);
        if (!_bodies.Remove(extent) && _extentRows[extent].BodyBytes > 0)
        {
            _spill!.Forget(extent, _extentRows[extent].Generation);
            _extentRows[extent].BodyBytes = 0;
            _extentRows[extent].RunBytes = 0;
        }
    }

    // Everything was replayed.
    private Fault FinishSpillRestore()
    {
        while (_bodies.Count > 0)
        {
            WriteRestored(_bodies.First().Key);
        }

        if (!_restoreFault.IsNone)
        {
            return _restoreFault;
        }

        MarkCancelledOnDisk();
        var needed = _deferred.Keys.Select(id => SpillTable.ExtentOf(new TaskId(id).Slot)).ToHashSet();
        uint[] ordered = [.. Enumerable.Range(0, (int)_extentRows.HighWater).Select(extent => (uint)extent)
            .Where(extent => _extentRows.State(extent) == SpillState.Spilled)
            .OrderBy(extent => _extentRows[extent].Order).ThenBy(extent => extent)];
        var areIn = ordered.Where(needed.Contains).All(TryBringInRestored);
        if (!areIn)
        {
            return _restoreFault = TooSmall("tasks that had come back from the disk do not fit any more");
        }

        foreach (var ofClass in ordered.GroupBy(extent => _extentRows[extent].Class))
        {
            BringInAhead([.. ofClass], needed);
        }

        _appliesDeferred = true;
        foreach (var (kind, fact) in _deferred.SelectMany(each => each.Value))
        {
            RestoreFact(kind, new FactReader(fact));
        }

        _appliesDeferred = false;
        _deferred.Clear();
        _restoredKeys.Clear();
        return _restoreFault;
    }

    // Such a task is on disk still, wherever in the backlog: it ends when it is read in, as it would have. What was
    // said of a task that is gone goes too.
    private void MarkCancelledOnDisk()
    {
        foreach (var (id, facts) in _deferred)
        {
            var task = new TaskId(id);
            if (!IsRestored(task))
            {
                _deferred.Remove(id);
            }
            else if (facts is [{ Kind: FactKind.Ended } only] && IsCancelledUnstarted(only.Fact))
            {
                var extent = SpillTable.ExtentOf(task.Slot);
                SpillRow.Set(_extentRows.Cancelled(extent), SpillTable.PlaceOf(task.Slot));
                _deferred.Remove(id);
            }
        }
    }

    private static bool IsCancelledUnstarted(ReadOnlySpan<byte> ended)
    {
        var reader = new FactReader(ended);
        var fact = EndedFact.Read(ref reader);
        return fact is { Outcome: (byte)Outcome.Cancelled, Executions: 0, Attempt: 0, HasResult: false };
    }

    // Those of a class before the last one that was needed were in the arena too; and of the next ones some: workers
    // that outlived the arena may hold the oldest tasks, and find them only in the arena.
    private void BringInAhead(uint[] ordered, HashSet<uint> needed)
    {
        var lastNeeded = Array.FindLastIndex(ordered, needed.Contains);
        for (var at = 0; at < ordered.Length; at++)
        {
            if (needed.Contains(ordered[at]))
            {
                continue;
            }

            var mayCome = at <= lastNeeded
                ? !IsPressed
                : SlotsInUse < _tasks.Capacity / 4 && at < RestoredAheadMax;
            if (!mayCome || !TryBringInRestored(ordered[at]))
            {
                return;
            }
        }
    }

    private bool TryBringInRestored(uint extent)
    {
        var generation = _extentRows[extent].Generation;
        var count = HasRoomFor(extent) ? FillSlots(extent, _spill!.ReadNow(extent, generation)) : -1;
        if (count < 0)
        {
            return false;
        }

        _extents[extent].InSlots = count;
        _extentRows.SetState(extent, SpillState.Released);
        _spill!.Forget(extent, generation);
        NoteRestoredArrivals(count);
        return true;
    }

    private const int RestoredAheadMax = 16;

    private void NoteRestoredArrivals(int count)
    {
        foreach (var index in _arrivals.AsSpan(0, count))
        {
            if (SessionOf(in _tasks[index]) is { } session)
            {
                session.Restored++;
            }
        }
    }
}
