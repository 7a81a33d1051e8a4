// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Transport.Http2;

/// <summary>Keep-alive: any byte received proves that the server lives, so pings are only sent into silence.</summary>
internal sealed partial class Http2Connection
{
    private ITimer? _keepAlive;
    private long _receivedAt;
    private long _pingedAt;
    private bool _pinged;

    private void StartKeepAlive()
    {
        if (_options.KeepAliveInterval is not { } interval)
        {
            return;
        }

        Volatile.Write(ref _receivedAt, _options.Time.GetTimestamp());
        lock (_gate)
        {
            if (!_closed)
            {
                _keepAlive = _options.Time.CreateTimer(
                    static state => ((Http2Connection)state!).OnKeepAlive(),
                    this,
                    interval,
                    Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void OnKeepAlive()
    {
        var interval = _options.KeepAliveInterval!.Value;
        var received = Volatile.Read(ref _receivedAt);
        var silence = _options.Time.GetElapsedTime(received);
        var turn = FlushTurn.None;
        bool dead;
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            dead = _pinged && received <= _pingedAt;
            _pinged = !dead && silence >= interval;
            if (_pinged)
            {
                _pingedAt = _options.Time.GetTimestamp();
                _outbox.Ping("muster\0\0"u8, false);
                _keepAlive!.Change(_options.KeepAliveTimeout, Timeout.InfiniteTimeSpan);
                turn = TakeTurn(false);
            }
            else if (!dead)
            {
                _keepAlive!.Change(interval - silence, Timeout.InfiniteTimeSpan);
            }
        }

        if (dead)
        {
            Close($"the server was silent for {silence.TotalSeconds:F1} s and answers no ping");
        }

        Flush(turn);
    }
}
