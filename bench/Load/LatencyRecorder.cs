// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Numerics;
using System.Threading;

namespace Muster.Load;

/// <summary>
/// Counts latencies in buckets of at most 1.6% width from 1 us to an hour, so that recording costs one increment and
/// percentiles need no samples. Safe for use by many threads.
/// </summary>
internal sealed class LatencyRecorder
{
    private const int SubBits = 6;
    private readonly long[] _counts = new long[64 << SubBits];

    public long Count { get; private set; }

    public static double MicrosecondsSince(long timestamp) => Stopwatch.GetElapsedTime(timestamp).TotalMicroseconds;

    public void Add(double microseconds)
    {
        Interlocked.Increment(ref _counts[Bucket((ulong)Math.Max(microseconds * 16, 1))]);
    }

    /// <summary>The upper edge of the bucket that holds the given share of all latencies, in microseconds.</summary>
    public double Percentile(double share)
    {
        long total = 0;
        foreach (var count in _counts)
        {
            total += count;
        }

        Count = total;
        var wanted = (long)Math.Ceiling(total * share);
        long seen = 0;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            seen += _counts[bucket];
            if (seen >= wanted && total > 0)
            {
                return UpperEdge(bucket) / 16.0;
            }
        }

        return 0;
    }

    private static int Bucket(ulong sixteenths)
    {
        var bits = 64 - BitOperations.LeadingZeroCount(sixteenths);
        if (bits <= SubBits)
        {
            return (int)sixteenths;
        }

        var shift = bits - SubBits - 1;
        return ((shift + 1) << SubBits) + (int)(sixteenths >> shift) - (1 << SubBits);
    }

    private static double UpperEdge(int bucket)
    {
        if (bucket < 1 << SubBits)
        {
            return bucket + 1;
        }

        var shift = (bucket >> SubBits) - 1;
        var mantissa = (1 << SubBits) + (bucket & ((1 << SubBits) - 1));
        return (mantissa + 1) * Math.Pow(2, shift);
    }
}
