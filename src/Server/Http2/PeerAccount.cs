// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Server.Http2;

/// <summary>
/// What one peer has open over all its connections, and how fast it may call. A peer is an address; where peers say who
/// they are, an identity may have an account in the same way. Any thread.
/// </summary>
internal sealed class PeerAccount(UInt128 key, int callsMax, int callsPerSecond, int callsAtOnce, long ticksPerSecond)
{
    private readonly Lock _gate = new();
    private double _tokens = callsAtOnce;
    private long _filledAt = long.MinValue;
    private int _calls;

    public UInt128 Key { get; } = key;

    /// <summary>Connections open; guarded by the accounts.</summary>
    public int Connections { get; set; }

    /// <summary>Whether another call may begin; <see cref="EndCall"/> follows then.</summary>
    public bool TryBeginCall(long now)
    {
        lock (_gate)
        {
            if (_tokens < 1)
            {
                Refill(now);
            }

            if (_calls >= callsMax || _tokens < 1)
            {
                return false;
            }

            _filledAt = _filledAt == long.MinValue ? now : _filledAt;
            _tokens--;
            _calls++;
            return true;
        }
    }

    public void EndCall()
    {
        lock (_gate)
        {
            _calls--;
        }
    }

    private void Refill(long now)
    {
        _tokens = Math.Min(callsAtOnce, _tokens + ((double)(now - _filledAt) / ticksPerSecond * callsPerSecond));
        _filledAt = now;
    }
}
