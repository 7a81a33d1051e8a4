// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport;

/// <summary>
/// Waits between failed connects: the first is short, each later one 1.6 times as long up to a limit, and all vary by a
/// fifth, so that many clients of a server that came back do not knock together. Not thread-safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan max, Random random)
{
    private const double Growth = 1.6;
    private const double Jitter = 0.2;

    private double _nextMs = first.TotalMilliseconds;

    public TimeSpan Next()
    {
        var ms = _nextMs;
        _nextMs = Math.Min(ms * Growth, max.TotalMilliseconds);
        return TimeSpan.FromMilliseconds(ms * (1 - Jitter + (2 * Jitter * random.NextDouble())));
    }

    /// <summary>A connect succeeded.</summary>
    public void Reset() => _nextMs = first.TotalMilliseconds;
}
