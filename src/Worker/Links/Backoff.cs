// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Worker.Links;

/// <summary>
/// Waits between tries: doubling from 5 ms to half a second, each shortened by up to a half at random so that workers
/// which lost their server together do not come back together. Owned by one loop.
/// </summary>
internal sealed class Backoff(Random random)
{
    private int _nextMs = WorkerLimits.ReconnectMsMin;

    /// <summary>A try succeeded.</summary>
    public void Reset() => _nextMs = WorkerLimits.ReconnectMsMin;

    /// <summary>How long to wait now; at least what the peer asked for.</summary>
    public TimeSpan Next(LinkException? reason)
    {
        var fullMs = reason is { IsRefusal: true } ? WorkerLimits.RefusedMs : _nextMs;
        _nextMs = Math.Min(_nextMs * 2, WorkerLimits.ReconnectMsMax);
        var wait = TimeSpan.FromMilliseconds((fullMs / 2.0) + (random.NextDouble() * fullMs / 2.0));
        return reason?.RetryAfter is { } asked && asked > wait ? asked : wait;
    }
}
