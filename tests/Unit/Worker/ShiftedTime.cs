// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Unit.Worker;

/// <summary>The system's time, except that a test can move the monotonic clock forward at once.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long _shift;

    public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _shift);

    public void Advance(TimeSpan by) => Interlocked.Add(ref _shift, (long)(by.TotalSeconds * TimestampFrequency));
}
