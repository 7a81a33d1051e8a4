// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Arena;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Plm.Facts;

namespace Muster.Plm;

/// <content>
/// A fresh arena gets back what the journal holds. Tasks keep their ids, and so their slots; those that had not ended
/// run again under the arena's own epoch; those that had keep their result. Facts may come twice (a snapshot tells what
/// the records around it tell too, and a successor tells again what its predecessor may not have), so each of them
/// counts only for the very task that it names, and a fact about a task that is not there says nothing.
/// <para>
/// Nobody else looks at these slots: the Scheduler sees tasks in the heap, the Register those that a worker reports.
/// Whoever dies in here leaves an arena that is not marked restored, and a successor does it all again.
/// </para>
/// </content>
internal sealed partial class PlmCore
{
    private Fault _restoreFault;
    private bool _isRestoreBegun;
    private bool _holdsBack;
    private uint _epochsTold;

    // Brings arena and journal together. Afterwards the arena holds everything that the journal holds.
    private Fault JoinJournal()
    {
        if (_journal is null)
        {
            return Fault.None;
        }

        _written = _journal.LastSequence;
        _synced = _journal.LastSequence;
        _holdsBack = _arena.Counter(CellCounter.HoldsBack) != 0;
        if (_arena.Counter(CellCounter.Populated) == 0)
        {
            _arena.Set(CellCounter.HoldsBack, 1);
            CrashPoint.Hit("plm.restore.before");
            var fault = Restore(_journal);
            CrashPoint.Hit("plm.restore.replayed");
            if (!fault.IsNone)
            {
                return fault;
            }

            TellArena();
            _arena.Set(CellCounter.JournalSynced, _synced);
            _arena.Set(CellCounter.JournalLineage, _journal.Lineage);
            CrashPoint.Hit("plm.restore.told");
            _holdsBack = true;
            return Fault.None;
        }

        // An arena that outlived its journal, or records of it: whatever it holds is told, as a snapshot. If the
        // journal is its own and was cut, what was recorded before is forgotten then: a task whose end was cut off is
        // not there to be told of, and would come back. Another journal keeps what it has.
        var synced = _arena.Counter(CellCounter.JournalSynced);
        var isUnknown = _arena.Counter(CellCounter.JournalLineage) != _journal.Lineage;
        if (isUnknown && HoldsRecords(_journal))
        {
            return new(
                FaultCode.StateFolderUnusable,
                "the journal in the state folder is not the one that this cell's living arena belongs to, and it holds "
                + "tasks of its own; start the cell with its own state folder. To begin a new journal with what the "
                + "arena holds, move the folder `journal` away; to go on from this journal, remove the arena with "
                + "`muster arena remove`");
        }

        var isOther = isUnknown || synced == PlmLimits.OtherJournal;
        if (isOther || synced > _journal.LastSequence)
        {
            // No journal comes so far, so that a successor does it all again until the snapshot is safe.
            _arena.Set(CellCounter.JournalSynced, isOther ? PlmLimits.OtherJournal : PlmLimits.CutJournal);
            _arena.Set(CellCounter.JournalLineage, _journal.Lineage);
            _snapshotReplaces = !isOther;
            TellEverything = true;
            StartSnapshot(_journal);
        }

        return Fault.None;
    }

    // Of a journal that was just made, there is nothing to hand out.
    private static bool HoldsRecords(IPlmJournal journal)
    {
        var any = false;
        var fault = journal.Replay((_, _) =>
        {
            any = true;
            return false;
        });
        return any || !fault.IsNone;
    }

    /// <summary>
    /// The journal of a living arena was lost, replaced or cut, and everything is told to it; until that is synced.
    /// </summary>
    public bool TellEverything { get; private set; }

    private Fault Restore(IPlmJournal journal)
    {
        _restoreFault = Fault.None;
        _restoredProfiles.Clear();
        _isRestoreBegun = false;
        try
        {
            var fault = journal.Replay(RestoreRecord);
            fault = fault.IsNone ? FinishSpillRestore() : fault;
            if (!fault.IsNone)
            {
                return fault;
            }
        }
        catch (InvalidDataException damage)
        {
            return new(FaultCode.JournalVersion, $"the journal holds a fact that this version cannot read "
                + $"({damage.Message}); start the version that wrote it, or a newer one");
        }

        _restoredProfiles.Clear();
        foreach (var session in _sessions)
        {
            if (session is not null)
            {
                session.Restored = 0;
            }
        }

        if (_restoreFault.IsNone && _epochsTold >= _arena.Epoch)
        {
            return new(FaultCode.StateFolderUnusable, $"the journal knows epoch {_epochsTold} of the cell and its "
                + $"arena has {_arena.Epoch}, so ids could repeat; write {_epochsTold} into the file `epoch` of the "
                + "state folder, remove the arena with `muster arena remove`, and start again");
        }

        return _restoreFault;
    }

    // Of whoever died in here. What is there already would hide the earlier tasks of its slots from the replay, and
    // with them their keys, which outlive them; a generation that was written and not used would hide its own task.
    private void ForgetEarlierRestore()
    {
        for (uint index = 0; index < _tasks.HighWater; index++)
        {
            if (_tasks.Read(index).State != TaskState.Free)
            {
                _tasks[index].Client = 0;
                FreeRestored(index);
            }

            _tasks[index].Generation = 0;
        }

        ForgetAllKeys();
        ForgetRestoredExtents();
    }

    private bool RestoreRecord(ushort kind, ReadOnlySpan<byte> body)
    {
        if (!_isRestoreBegun)
        {
            // As a part of the replay, whose steps end no task.
            _isRestoreBegun = true;
            ForgetEarlierRestore();
        }

        if (kind == RecordKind.Turn)
        {
            var reader = new FactReader(body);
            while (_restoreFault.IsNone && reader.TryNext(out var fact, out var bytes))
            {
                RestoreFact(fact, bytes);
            }
        }

        return _restoreFault.IsNone;
    }

    private void RestoreFact(FactKind kind, FactReader fact)
    {
        switch (kind)
        {
            case FactKind.ArenaMade:
                RestoreArena(fact);
                break;
            case FactKind.Profile:
                RestoreProfile(ProfileFact.Read(ref fact));
                break;
            case FactKind.SubmittedAs:
                RestoreSubmitted(SubmittedFact.Read(ref fact), fact, owner: 0);
                break;
            case FactKind.Submitted:
                var common = SubmittedFact.ReadWithOptions(ref fact, out var options);
                common.Profile = uint.MaxValue;
                options.Number = uint.MaxValue;
                RestoreProfile(options);
                RestoreSubmitted(common, fact, owner: 0);
                break;
            case FactKind.SubmittedBy:
                var owner = (ushort)fact.UInt32();
                RestoreSubmitted(SubmittedFact.Read(ref fact), fact, owner);
                break;
            case FactKind.AttemptFailed:
                RestoreFailed(fact);
                break;
            case FactKind.Ended:
                RestoreEnded(EndedFact.Read(ref fact));
                break;
            case FactKind.HandlerModel:
                RestoreModel(fact);
                break;
            case FactKind.Granted:
                RestoreGranted(fact);
                break;
            case FactKind.Released:
                RestoreReleased(fact);
                break;
            case FactKind.Kept:
                RestoreKept(fact);
                break;
            case FactKind.KeyKnown:
                RestoreKnownKey(KeyFact.Read(ref fact));
                break;
            default:
                throw new InvalidDataException($"fact of kind {(byte)kind}");
        }
    }

    private void TellArena()
    {
        _facts.Begin(FactKind.ArenaMade);
        _facts.Varint(_arena.Epoch);
        _facts.Fixed64(_arena.CellId);
        _facts.End();
    }

    private void RestoreArena(FactReader fact)
    {
        var epoch = fact.UInt32();
        if (fact.Fixed64() != _arena.CellId)
        {
            _epochsTold = Math.Max(_epochsTold, epoch);
        }
    }

    private void RestoreModel(FactReader fact)
    {
        if (_arena.Handlers.TryIntern(fact.Bytes(), out var handler) && fact.Single() is >= 0 and var meanUs)
        {
            _arena.Handlers.MeanUs(handler) = meanUs;
        }
    }
}
