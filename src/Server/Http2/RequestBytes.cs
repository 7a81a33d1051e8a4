// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Server.Http2;

/// <summary>
/// Bytes of requests that have arrived on any connection of one server and that no handler took. Each connection tells
/// in steps, so that small requests never touch what all share. While there are too many, whoever holds more than a
/// little loses the call that brought more; small requests go on. Any thread.
/// </summary>
internal sealed class RequestBytes(long bytesMax)
{
    /// <summary>Bytes of a step.</summary>
    public const int StepBytes = 16 * 1_024;

    private long _steps;

    /// <summary>As much as the memory of this process allows.</summary>
    public static RequestBytes OfMachine() => new(Math.Max(
        ServerLimits.RequestBytesMin,
        GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / ServerLimits.RequestMemoryShare));

    /// <summary>What is held, to a step for each connection.</summary>
    public long Held => Volatile.Read(ref _steps) * StepBytes;

    /// <summary>What one connection may hold now.</summary>
    public int ShareBytes
    {
        get
        {
            var held = Held;
            return held < bytesMax ? int.MaxValue
                : held < 2 * bytesMax ? ServerLimits.ScarceBytesMax : ServerLimits.ScarcestBytesMax;
        }
    }

    /// <summary>Tells a change of what one connection holds.</summary>
    public void Change(long before, long now)
    {
        var steps = (now / StepBytes) - (before / StepBytes);
        if (steps != 0)
        {
            Interlocked.Add(ref _steps, steps);
        }
    }
}
