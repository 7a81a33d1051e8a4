// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <content>
/// What is late. The server's watch comes by every second; nothing here has a timer of its own. Times are timestamps of
/// the options' clock, 0 for none.
/// </content>
internal sealed partial class ServerConnection
{
    private readonly long _begunAt;

    private long _receivedAt;
    private long _partialAt;
    private long _blockAt;

    // Guarded by the gate.
    private long _usedAt;
    private long _pingedAt;

    private volatile bool _isBroken;

    /// <summary>Ends what is late; called by the watch alone.</summary>
    public void Look(long now)
    {
        var (code, reason) = WhyEnd(now);
        if (reason is not null)
        {
            Close(code, reason);
            return;
        }

        List<ServerStream>? late = null;
        FlushTurn turn;
        lock (_gate)
        {
            foreach (var stream in _streams.Values)
            {
                if (IsLate(stream, now))
                {
                    (late ??= []).Add(stream);
                }
            }

            foreach (var stream in late ?? [])
            {
                _outbox.Reset(stream.Id, Http2ErrorCode.EnhanceYourCalm);
                Remove(stream, StreamEnd.ByUs, isPeerGone: true);
            }

            if (_pingedAt == 0 && IsOver(Volatile.Read(ref _receivedAt), now, ServerLimits.PingDelay))
            {
                _pingedAt = now;
                _outbox.Ping("muster\0\0"u8, false);
            }

            turn = TakeTurn();
        }

        Flush(turn);
    }

    private (Http2ErrorCode Code, string? Reason) WhyEnd(long now)
    {
        if (!Volatile.Read(ref _isSettled) && IsOver(_begunAt, now, ServerLimits.HeadersTimeout))
        {
            return (Http2ErrorCode.EnhanceYourCalm, "the peer says nothing");
        }

        if (IsOver(Volatile.Read(ref _blockAt), now, ServerLimits.HeadersTimeout))
        {
            return (Http2ErrorCode.EnhanceYourCalm, "headers come too slowly");
        }

        if (IsOver(Volatile.Read(ref _partialAt), now, ServerLimits.FrameTimeout))
        {
            return (Http2ErrorCode.EnhanceYourCalm, "a frame comes too slowly");
        }

        if (_isBroken)
        {
            return (Http2ErrorCode.NoError, "the connection broke");
        }

        lock (_gate)
        {
            if (_pingedAt != 0 && Volatile.Read(ref _receivedAt) > _pingedAt)
            {
                _pingedAt = 0;
            }

            if (IsOver(_pingedAt, now, ServerLimits.PingTimeout))
            {
                return (Http2ErrorCode.NoError, "the peer answers no ping");
            }

            return _streams.Count == 0 && IsOver(_usedAt, now, ServerLimits.IdleTimeout)
                ? (Http2ErrorCode.NoError, "the connection is not used")
                : default;
        }
    }

    private bool IsLate(ServerStream stream, long now)
    {
        if (stream.Trailers is not null)
        {
            return IsOver(stream.MovedAt, now, ServerLimits.LastBytesTimeout);
        }

        if (!stream.IsBodyTimed || stream.IsPeerEnded)
        {
            return false;
        }

        if (_receiveWindow < ServerLimits.FrameBytesMax)
        {
            // Handlers of other calls keep the window shut: the peer may not send, and its time begins again.
            stream.TimedFrom = now;
            return false;
        }

        var allowed = ServerLimits.BodyGrace
            + TimeSpan.FromSeconds((double)stream.BytesReceived / ServerLimits.BodyBytesPerSecondMin);
        return IsOver(stream.TimedFrom, now, allowed);
    }

    private bool IsOver(long since, long now, TimeSpan limit) =>
        since != 0 && _options.Time.GetElapsedTime(since, now) > limit;
}
