// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// Idempotency keys: same key, same task. A key's row is written before its task is accepted, and its moment of expiry
/// before its task can be freed; so a row without that moment and without a task is that of a submission which nobody
/// was told of, and a successor drops it. Expiry counts when a key is looked up; the sweep only makes rows free again.
/// </content>
internal sealed partial class PlmCore
{
    private readonly KeyIndex _keys;
    private uint _keySweepAt;
    private long _keyReclaimMs = long.MinValue;

    /// <summary>Idempotency keys that the cell remembers, expired ones among them until they are swept.</summary>
    public int KeyCount => _keys.Count;

    /// <summary>Finds the keys of living tasks, and drops those of tasks that never were.</summary>
    private void RecoverKeys()
    {
        _keys.Rebuild();
        for (uint row = 0; row < _arena.Keys.HighWater; row++)
        {
            if (!_arena.Keys.IsUsed(row))
            {
                continue;
            }

            var id = new TaskId(_arena.Keys[row].TaskId);
            if (_tasks.TryFind(id, out var index, out _))
            {
                _index[index].Key = row + 1;
            }
            else if (_arena.Keys[row].ExpiresUnixMs == 0 && !_extentRows.IsSpilled(id))
            {
                _keys.Remove(row);
            }
        }

        if (!Safeguard.KeptKeys && _keys.Count > 0)
        {
            ForgetAllKeys();
        }
    }

    // The task of a key that counts now. Lets go of one that has expired.
    private bool TryFindKey(in TaskKey key, out uint row)
    {
        if (!_keys.TryFind(key.High, key.Low, out row))
        {
            return false;
        }

        if (!IsExpired(in _arena.Keys[row]))
        {
            return true;
        }

        ForgetKey(row);
        return false;
    }

    private bool IsExpired(in KeyRow row) => row.ExpiresUnixMs != 0 && row.ExpiresUnixMs <= _now.UnixMs;

    private void ForgetKey(uint row)
    {
        // Its task may live on: it may be kept for longer than its key.
        if (_tasks.TryFind(new TaskId(_arena.Keys[row].TaskId), out var index, out _) && _index[index].Key == row + 1)
        {
            _index[index].Key = 0;
        }

        _keys.Remove(row);
    }

    // Of a slot that is filled and not yet accepted.
    private void AddKey(uint index, in TaskKey key, in TaskSlot slot, uint retentionMs)
    {
        _index[index].Key = AddKeyRow(_tasks.IdOf(index), key, ProfileOf(in slot).Durability, retentionMs) + 1;
    }

    private uint AddKeyRow(TaskId id, in TaskKey key, byte durability, uint retentionMs) => _keys.Add(new KeyRow
    {
        HashHigh = key.High,
        HashLow = key.Low,
        Fingerprint = key.Fingerprint,
        TaskId = id.Value,
        RetentionMs = retentionMs,
        Durability = durability,
    });

    /// <summary>The task has ended: from now on its key has a limited time.</summary>
    private void EndKey(uint index)
    {
        if (_index[index].Key is var key and not 0 && _arena.Keys[key - 1].ExpiresUnixMs == 0)
        {
            CrashPoint.Hit("plm.end.before-key-expires");
            _arena.Keys[key - 1].ExpiresUnixMs = _now.UnixMs + _arena.Keys[key - 1].RetentionMs;
        }
    }

    private ulong KeyExpiry(uint index) =>
        _index[index].Key is var key and not 0 ? _arena.Keys[key - 1].ExpiresUnixMs : 0;

    private bool HasRoomForKey()
    {
        // Once in a millisecond at most: a full table must not cost a scan for each item of a batch.
        if (!_keys.HasRoom && _keyReclaimMs != _now.Ms)
        {
            _keyReclaimMs = _now.Ms;
            SweepKeys();
        }

        return _keys.HasRoom;
    }

    /// <summary>Makes rows free whose keys have expired: a slice of the table, the next one next time.</summary>
    private void SweepKeys()
    {
        var rows = Math.Min(_arena.Keys.HighWater, PlmLimits.KeysPerSweep);
        for (; rows > 0; rows--)
        {
            if (_keySweepAt >= _arena.Keys.HighWater)
            {
                _keySweepAt = 0;
            }

            var row = _keySweepAt++;
            if (_arena.Keys.IsUsed(row) && IsExpired(in _arena.Keys[row]))
            {
                ForgetKey(row);
            }
        }
    }

    /// <summary>
    /// A session does not need the ended task any more. Nobody does, unless it has a key, when whoever repeats the
    /// submission may still ask for its result, or is quarantined: then it stays as one without a session.
    /// </summary>
    private void ReleaseFromSession(uint index)
    {
        ref var slot = ref _tasks[index];
        var isWanted = _index[index].Key != 0 || slot.Outcome == (byte)Outcome.Quarantined;
        var retentionMs = RetentionMs(in slot, (Outcome)slot.Outcome);
        if (!isWanted || retentionMs == 0)
        {
            Release(index);
            return;
        }

        slot.DueUnixMs = _now.UnixMs + retentionMs;
        slot.Client = 0;
        CrashPoint.Hit("plm.confirm.kept");
        slot.Ref = 0;
        if (IsJournaled(in slot) && _journal is not null)
        {
            _facts.Begin(FactKind.Kept);
            _facts.Fixed64(_tasks.IdOf(index).Value);
            _facts.Varint(slot.DueUnixMs);
            _facts.End();
            AppendIfLarge();
        }

        KeepForRetention(index, ref slot);
    }

    private static KeyFact FactOf(in KeyRow row) => new()
    {
        Key = new TaskKey(row.HashHigh, row.HashLow, row.Fingerprint),
        TaskId = row.TaskId,
        ExpiresUnixMs = row.ExpiresUnixMs,
    };

    // Of an ended task; that of another stands with its task. All of them, because an ended task may be on its way out
    // and is not told of then.
    private void TellKey(uint row)
    {
        ref var found = ref _arena.Keys[row];
        if (_arena.Keys.IsUsed(row)
            && found.Durability > DurabilityLevel.Memory
            && found.ExpiresUnixMs > _now.UnixMs)
        {
            _facts.Begin(FactKind.KeyKnown);
            FactOf(in found).Write(_facts);
            _facts.End();
            AppendIfLarge();
        }
    }

    // A predecessor that died in a restore left keys of tasks that come again, some of which are not the last ones.
    private void ForgetAllKeys()
    {
        for (uint row = 0; row < _arena.Keys.HighWater; row++)
        {
            if (_arena.Keys.IsUsed(row))
            {
                ForgetKey(row);
            }
        }
    }

    // The task is about to be restored. A row of the same key is that of an earlier task, whose key had expired then.
    private bool TryRestoreKey(uint index, in TaskKey key, uint retentionMs)
    {
        if (_keys.TryFind(key.High, key.Low, out var earlier))
        {
            ForgetKey(earlier);
        }

        if (HasRoomToRestoreKey())
        {
            AddKey(index, key, in _tasks[index], retentionMs);
        }

        return _restoreFault.IsNone;
    }

    // A row that is there tells as much, or of a later task.
    private void RestoreKnownKey(in KeyFact fact)
    {
        if (fact.ExpiresUnixMs > _now.UnixMs
            && !_keys.TryFind(fact.Key.High, fact.Key.Low, out _)
            && HasRoomToRestoreKey())
        {
            _keys.Add(new KeyRow
            {
                HashHigh = fact.Key.High,
                HashLow = fact.Key.Low,
                Fingerprint = fact.Key.Fingerprint,
                TaskId = fact.TaskId,
                ExpiresUnixMs = fact.ExpiresUnixMs,
                Durability = DurabilityLevel.Durable,
            });
        }
    }

    private bool HasRoomToRestoreKey()
    {
        for (uint seen = 0; !_keys.HasRoom && seen < _arena.Keys.HighWater; seen += PlmLimits.KeysPerSweep)
        {
            SweepKeys();
        }

        if (!_keys.HasRoom)
        {
            _restoreFault = TooSmall($"the journal holds more idempotency keys than {_arena.Keys.Capacity}");
        }

        return _keys.HasRoom;
    }

    private void CheckKeys()
    {
        _keys.CheckInvariants();
        for (uint row = 0; row < _arena.Keys.HighWater; row++)
        {
            if (!_arena.Keys.IsUsed(row))
            {
                continue;
            }

            ref var found = ref _arena.Keys[row];
            var isThere = _tasks.TryFind(new TaskId(found.TaskId), out var index, out var word);
            var isSpilled = _extentRows.IsSpilled(new TaskId(found.TaskId));
            Invariant.That(isThere ? _index[index].Key == row + 1 : isSpilled || found.ExpiresUnixMs != 0);
            Invariant.That(!isThere || word.State == TaskState.Done == (found.ExpiresUnixMs != 0));
        }
    }
}
