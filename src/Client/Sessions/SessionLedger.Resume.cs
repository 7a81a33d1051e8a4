// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>What a new stream's welcome does to the ledger: the one place that decides what is sent a second
/// time.</summary>
internal sealed partial class SessionLedger
{
    /// <summary>
    /// Takes the first SessionResponse of a stream. Of the refs whose fate is unknown, those that the server knows are
    /// accepted now; all others go back to the queue, to be sent under new refs, which start after the last one that
    /// the server has decided.
    /// </summary>
    /// <exception cref="WireFormatException">The message is no welcome.</exception>
    public void ReceiveWelcome(ReadOnlySpan<byte> message, long nowMs, SessionEvents events)
    {
        var welcome = ReadWelcome(message);
        var isOtherArena = _epoch != 0 && welcome.Epoch != _epoch;
        var isOtherSession = (_cellId != 0 && welcome.CellId != _cellId)
            || (welcome.DecidedRef < _decidedRef && !isOtherArena);
        if (isOtherSession)
        {
            Forget(FaultCode.TaskIdFromEarlierArena, events);
        }
        else
        {
            TakeKnown(welcome, events);
            if (isOtherArena)
            {
                Forget(FaultCode.TaskLost, events, [.. welcome.KnownRefs]);
            }
        }

        foreach (var task in SentInOrder())
        {
            _open.Remove(task.Ref, out _);
            task.Stage = PendingStage.Queued;
            _again.Enqueue(task);
        }

        _unresolved = 0;
        _cellId = welcome.CellId;
        _epoch = welcome.Epoch;
        _decidedRef = welcome.DecidedRef;
        _nextRef = welcome.DecidedRef + 1;
        _outstandingMax = welcome.OutstandingMax == 0 ? uint.MaxValue : welcome.OutstandingMax;

        // Cancellations that went down with the old stream are asked for again; repeating one changes nothing.
        foreach (var task in _open.Concat(_elsewhere).Where(task => task.IsCancelWanted))
        {
            _cancels.Add(task.Id.Value);
        }

        // What follows the welcome counts too, if the server put results into the same message.
        Receive(message, nowMs, events);
    }

    /// <summary>First and last ref whose acceptance is not known; 0 and 0 when there is none.</summary>
    private (ulong First, ulong Last) Unresolved()
    {
        if (_unresolved == 0)
        {
            return (0, 0);
        }

        var refs = SentInOrder();
        return (refs[0].Ref, refs[^1].Ref);
    }

    private List<PendingTask> SentInOrder() =>
        [.. _open.Where(task => task.Stage == PendingStage.Sent).OrderBy(task => task.Ref)];

    private void TakeKnown(Welcome welcome, SessionEvents events)
    {
        for (var index = 0; index < welcome.KnownRefs.Count; index++)
        {
            if (_open.TryGet(welcome.KnownRefs[index], out var task) && task.Stage == PendingStage.Sent)
            {
                TakeAccepted(task, new(welcome.KnownIds[index]), events);
            }
        }
    }

    /// <summary>
    /// The cell was made anew, or has forgotten this session: what it had accepted and does not know any more is gone,
    /// and that is said. What was only sent is sent again, unless it may run once only and might have run.
    /// </summary>
    private void Forget(FaultCode why, SessionEvents events, HashSet<ulong>? known = null)
    {
        foreach (var task in _open.ToArray())
        {
            if (known is not null && known.Contains(task.Ref))
            {
                continue;
            }

            if (task.Stage == PendingStage.Accepted || task.Options.Options.AttemptsMax == 1)
            {
                _open.Remove(task.Ref, out _);
                task.Stage = PendingStage.Ended;
                task.Outcome = Outcome.Aborted;
                task.Error = new(FaultCodes.Name(why), why == FaultCode.TaskLost
                    ? "the cell lost its arena, and the task was not as durable as that; submit it again"
                    : "the cell was made anew and does not know the task; submit it again");
                events.Ended.Add(task);
            }
        }
    }

    private static Welcome ReadWelcome(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            if (reader.Field == 1)
            {
                return Welcome.Read(reader.ReadBytes());
            }

            reader.Skip();
        }

        throw new WireFormatException("the first message of a session is not a welcome");
    }

    private sealed class Welcome
    {
        public ulong CellId { get; private set; }

        public ulong DecidedRef { get; private set; }

        public uint OutstandingMax { get; private set; }

        public uint Epoch { get; private set; }

        public List<ulong> KnownRefs { get; } = [];

        public List<ulong> KnownIds { get; } = [];

        public static Welcome Read(ReadOnlySpan<byte> message)
        {
            var welcome = new Welcome();
            var reader = new ProtoReader(message);
            while (reader.NextField())
            {
                switch (reader.Field)
                {
                    case 2:
                        welcome.CellId = reader.ReadFixed64();
                        break;
                    case 3:
                        welcome.DecidedRef = reader.ReadVarint();
                        break;
                    case 4:
                        ReadVarints(ref reader, welcome.KnownRefs);
                        break;
                    case 5:
                        ReadFixed64s(ref reader, welcome.KnownIds);
                        break;
                    case 6:
                        welcome.OutstandingMax = reader.ReadUInt32();
                        break;
                    case 7:
                        welcome.Epoch = reader.ReadUInt32();
                        break;
                    default:
                        reader.Skip();
                        break;
                }
            }

            if (welcome.KnownRefs.Count != welcome.KnownIds.Count)
            {
                throw new WireFormatException("a welcome names another number of refs than of tasks");
            }

            return welcome;
        }
    }
}
