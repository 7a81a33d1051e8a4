// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Plm;

/// <content>Sessions: opened, taken over, left, confirmed, forgotten.</content>
internal sealed partial class PlmCore
{
    private long _sessionSweepAtMs;

    /// <summary>
    /// Opens or resumes the session of a client. A stream that the session had before is closed with
    /// <see cref="FaultCode.SessionTakenOver"/>. Results that were not confirmed follow when the turn ends, so the
    /// caller writes its welcome first.
    /// </summary>
    /// <param name="hello">The client's first message.</param>
    /// <param name="stream">Where results go from now on.</param>
    /// <param name="known">Gets those of the unresolved refs that were accepted, in order.</param>
    /// <param name="session">The session; null when refused.</param>
    public Fault OpenSession(in SessionHello hello, IResultStream stream, List<KnownRef> known, out PlmSession? session)
    {
        Invariant.That(_inTurn);
        session = null;
        if (hello.ClientId == 0)
        {
            return new(
                FaultCode.InvalidArgument, "hello.client_id is 0; ask RegisterClient for an id, or take a random one");
        }

        if (hello.UnconfirmedMax > PlmLimits.UnconfirmedMax)
        {
            return new(FaultCode.InvalidArgument,
                $"hello.unconfirmed_max is {hello.UnconfirmedMax}; use at most {PlmLimits.UnconfirmedMax}, or 0");
        }

        if (hello.UnresolvedFirst > hello.UnresolvedLast || (hello.UnresolvedFirst == 0) != (hello.UnresolvedLast == 0))
        {
            return new(FaultCode.InvalidArgument, $"hello's unresolved refs {hello.UnresolvedFirst} to "
                + $"{hello.UnresolvedLast} are no range; send the first and the last, or 0 and 0");
        }

        if (_sessionsById.TryGetValue((hello.ClientId, hello.Owner), out session))
        {
            // A connection that its client gave up long ago may arrive after the one that replaced it.
            if (session.Stream is not null && hello.StreamNumber != 0 && hello.StreamNumber < session.StreamNumber)
            {
                session = null;
                return TakenOver();
            }

            // The welcome is as good as the answer that the client missed, so it must not come sooner.
            if (WouldAcknowledgeEarly(session, hello))
            {
                session = null;
                return new(
                    FaultCode.Unavailable,
                    "what was submitted before the connection broke is not on the disk yet; connect again in a moment",
                    _options.RetryAfterMs);
            }
        }
        else if (!TryAddSession(hello, out session))
        {
            return new(
                FaultCode.TooManyClients,
                $"{_sessions.Length} clients have sessions, which is the cell's limit; try again when one has gone, or "
                + "give the cell a larger arena",
                _options.RetryAfterMs);
        }

        Attach(session!, hello, stream);
        CollectKnown(session!, hello, known);
        return Fault.None;
    }

    /// <summary>
    /// The stream has ended: the session waits for its client. Does nothing when another stream took it over.
    /// </summary>
    public void LeaveSession(PlmSession session, IResultStream stream)
    {
        Invariant.That(_inTurn);
        if (!ReferenceEquals(session.Stream, stream))
        {
            return;
        }

        Detach(session);
        session.ForgetAtMs = _now.Ms + _options.SessionKeptMs;
        _arena.Clients[session.Row].LeftUnixMs = _now.UnixMs;
        Count(CellCounter.ClientsNow, -1);
    }

    /// <summary>The client has taken so many results of this stream for good, counted from its start.</summary>
    public Fault Confirm(PlmSession session, IResultStream stream, ulong confirmedTotal)
    {
        Invariant.That(_inTurn);
        var fault = CheckStream(session, stream);
        if (!fault.IsNone)
        {
            return fault;
        }

        if (confirmedTotal < session.ConfirmedTotal || confirmedTotal - session.ConfirmedTotal > session.Unconfirmed)
        {
            var sentTotal = session.ConfirmedTotal + session.Unconfirmed;
            return new(FaultCode.InvalidArgument, $"confirmed_total is {confirmedTotal}; on this stream it must be "
                + $"{session.ConfirmedTotal} to {sentTotal}, the results sent so far");
        }

        var ahead = session.Ended.Head;
        for (var fetched = 0; fetched < PlmLimits.PrefetchAhead; fetched++)
        {
            ahead = Prefetch(ahead);
        }

        for (; session.ConfirmedTotal < confirmedTotal; session.ConfirmedTotal++)
        {
            ahead = Prefetch(ahead);
            session.Unconfirmed--;
            var taken = _index.TryPop(ref session.Ended, out var index);
            Invariant.That(taken);
            ReleaseFromSession(index);
        }

        MarkDirty(session);
        RunReleases();
        return Fault.None;
    }

    // Fetches a slot of a list, and tells the next one.
    private uint Prefetch(uint place)
    {
        if (place == 0)
        {
            return 0;
        }

        _tasks.Prefetch(place - 1);
        return _index[place - 1].Next;
    }

    private static Fault CheckStream(PlmSession session, IResultStream? stream)
    {
        if (session.IsForgotten)
        {
            return new(FaultCode.SessionUnknown, "the session was forgotten; open the stream again");
        }

        return ReferenceEquals(session.Stream, stream) ? Fault.None : TakenOver();
    }

    private static Fault TakenOver() =>
        new(FaultCode.SessionTakenOver, "a later stream with the same client_id has taken the session over; "
            + "use one stream at a time, or give each program its own client_id");

    private void Attach(PlmSession session, in SessionHello hello, IResultStream stream)
    {
        if (session.Stream is { } earlier)
        {
            Detach(session);
            earlier.Close(TakenOver());
        }
        else
        {
            Count(CellCounter.ClientsNow);
        }

        session.Stream = stream;
        session.StreamNumber = hello.StreamNumber;
        session.UnconfirmedMax = hello.UnconfirmedMax == 0 ? PlmLimits.UnconfirmedMax : hello.UnconfirmedMax;
        session.NextUndelivered = session.Ended.Head;
        _arena.Clients[session.Row].LeftUnixMs = 0;
        _arena.Clients.SetName(session.Row, hello.Name);
        MarkDirty(session);
    }

    private static void Detach(PlmSession session)
    {
        session.Stream = null;
        session.IsStalled = false;
        session.ConfirmedTotal = 0;
        session.Unconfirmed = 0;
        session.NextUndelivered = 0;
    }

    private bool WouldAcknowledgeEarly(PlmSession session, in SessionHello hello)
    {
        for (var at = session.Live.Head; at != 0; at = _index[at - 1].Next)
        {
            ref var slot = ref _tasks[at - 1];
            if (slot.DurableUs == 0 && slot.Ref >= hello.UnresolvedFirst && slot.Ref <= hello.UnresolvedLast)
            {
                return Safeguard.SyncBeforeAnswer;
            }
        }

        return false;
    }

    private void CollectKnown(PlmSession session, in SessionHello hello, List<KnownRef> known)
    {
        known.Clear();
        var isOtherArena = hello.Epoch != 0 && hello.Epoch != _arena.Epoch;
        if ((hello.UnresolvedFirst == 0 && !isOtherArena) || !Safeguard.KnownRefs)
        {
            return;
        }

        // What the client knows of an arena that is gone has to be compared with what came back from the journal.
        var (first, last) = isOtherArena ? (0, ulong.MaxValue) : (hello.UnresolvedFirst, hello.UnresolvedLast);
        CollectKnown(session.Live, first, last, known);
        CollectKnown(session.Ended, first, last, known);
        CollectSpilled(session, first, last, known);
        known.Sort();
    }

    private void CollectKnown(SlotList list, ulong first, ulong last, List<KnownRef> known)
    {
        for (var at = list.Head; at != 0; at = _index[at - 1].Next)
        {
            var number = _tasks[at - 1].Ref;
            if (number >= first && number <= last)
            {
                known.Add(new KnownRef(number, _tasks.IdOf(at - 1)));
            }
        }
    }

    private bool TryAddSession(in SessionHello hello, out PlmSession? session)
    {
        session = null;
        var free = Array.IndexOf(_sessions, null);
        if (free < 0)
        {
            free = ForgetIdleSession();
        }

        if (free < 0)
        {
            return false;
        }

        session = new PlmSession((uint)free, hello.ClientId, hello.Owner);
        ref var row = ref _arena.Clients[session.Row];
        row.DecidedRef = 0;
        row.Outstanding = 0;
        row.Sessions++;
        row.LeftUnixMs = 0;
        row.Owner = hello.Owner;

        // The id makes the row count, so it is the last word written.
        Volatile.Write(ref row.ClientId, hello.ClientId);
        AddSession(session);
        return true;
    }

    private void AddSession(PlmSession session)
    {
        _sessions[session.Row] = session;
        _sessionsById.Add((session.ClientId, session.Owner), session);
    }

    // Short-lived programs leave empty sessions behind; the one gone longest makes room for a newcomer.
    private int ForgetIdleSession()
    {
        PlmSession? idle = null;
        foreach (var session in _sessions)
        {
            if (session is { Stream: null, Outstanding: 0, Restored: 0 }
                && (idle is null || session.ForgetAtMs < idle.ForgetAtMs))
            {
                idle = session;
            }
        }

        if (idle is null)
        {
            return -1;
        }

        Forget(idle);
        return (int)idle.Row;
    }

    private void SweepSessions()
    {
        _sessionSweepAtMs = _now.Ms + PlmLimits.SessionSweepMs;
        foreach (var session in _sessions)
        {
            if (session is { Stream: null } && session.ForgetAtMs <= _now.Ms)
            {
                Forget(session);
            }
        }
    }

    // Ended tasks are freed; the others run on without an owner and are freed when they end. Tasks with a key are kept
    // for their retention, as those without a session are.
    private void Forget(PlmSession session)
    {
        while (_index.TryPop(ref session.Ended, out var ended))
        {
            ReleaseFromSession(ended);
        }

        while (_index.TryPop(ref session.Live, out var live))
        {
            ref var slot = ref _tasks[live];
            ForgetSoonUnlessKeyed(live, ref slot);
            slot.Ref = 0;
            slot.Client = 0;
        }

        session.IsForgotten = true;
        _sessions[session.Row] = null;
        _sessionsById.Remove((session.ClientId, session.Owner));
        Volatile.Write(ref _arena.Clients[session.Row].ClientId, 0);
    }
}
