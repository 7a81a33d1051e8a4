// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Load;

/// <summary>
/// A flow of numbered tasks, each checked when its result comes: was it seen before, is it the right one, did it run
/// more than once. The counts may be read while it runs.
/// </summary>
internal sealed class TraceFlow(MusterClient client, long count)
{
    public const int InFlight = 1_000;

    private readonly HashSet<long> _seen = [];
    private volatile bool _isStopped;
    private long _submitted;
    private long _distinct;

    public long Submitted => Volatile.Read(ref _submitted);

    /// <summary>Tasks that have a result.</summary>
    public long Distinct => Volatile.Read(ref _distinct);

    public long Duplicates { get; private set; }

    public long Changed { get; private set; }

    public long Reruns { get; private set; }

    public static ReadOnlyMemory<byte> Payload(long number)
    {
        var payload = new byte[100];
        BinaryPrimitives.WriteInt64LittleEndian(payload, number);
        return payload;
    }

    /// <summary>Submits nothing more; what is under way comes back.</summary>
    public void Stop() => _isStopped = true;

    public async Task RunAsync()
    {
        await foreach (var (input, output) in client.MapAsync(
            LoadWorker.Trace, Inputs(), new MapOptions { InFlightMax = InFlight }))
        {
            var number = BinaryPrimitives.ReadInt64LittleEndian(output.Span);
            if (number != BinaryPrimitives.ReadInt64LittleEndian(input.Span))
            {
                Changed++;
            }

            if (!_seen.Add(number))
            {
                Duplicates++;
            }

            if (BinaryPrimitives.ReadInt32LittleEndian(output.Span[8..]) != 1)
            {
                Reruns++;
            }

            Volatile.Write(ref _distinct, _seen.Count);
        }
    }

    private IEnumerable<ReadOnlyMemory<byte>> Inputs()
    {
        while (!_isStopped && _submitted < count)
        {
            yield return Payload(_submitted++);
        }
    }
}
