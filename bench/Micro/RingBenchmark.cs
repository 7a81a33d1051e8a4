// SPDX-License-Identifier: Apache-2.0
using System;
using BenchmarkDotNet.Attributes;
using Muster.Arena;
using Muster.Arena.Links;
using Muster.Arena.Rings;
using Muster.Core;

namespace Muster.Micro;

/// <summary>
/// Rings between roles and between processes, both ends on one thread: what the instructions cost, without the wait for
/// another core's cache line.
/// </summary>
public class RingBenchmark
{
    private const int Batch = 64;
    private const int MessageBytes = 4_096;
    private const uint Capacity = 4_096;
    private const int ByteRingOffset = 4_096;

    private readonly FinishedRecord[] _records = new FinishedRecord[Batch];
    private readonly byte[] _message = new byte[MessageBytes];
    private ArenaMemory _memory = null!;
    private ArenaMemory _link = null!;
    private SpscRing<FinishedRecord> _ring = null!;
    private ByteRing _producer = null!;
    private ByteRing _consumer = null!;

    [GlobalSetup]
    public void Fill()
    {
        _memory = ArenaMemory.CreatePrivate(1 << 20);
        _ring = new(_memory, 0, Capacity);
        _link = ArenaMemory.CreatePrivate(ByteRingOffset + LinkPages.RingBytes);
        _producer = new(_link, 0, ByteRingOffset, LinkPages.RingBytes);
        _consumer = new(_link, 0, ByteRingOffset, LinkPages.RingBytes);
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _memory.Dispose();
        _link.Dispose();
    }

    /// <summary>SpscRing, a record of 16 bytes among a batch.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public int SpscRingBatch()
    {
        Invariant.That(_ring.TryWrite(_records) == Batch);
        return _ring.Read(_records);
    }

    [Benchmark]
    public int SpscRingOne()
    {
        Invariant.That(_ring.TryWrite(_records.AsSpan(0, 1)) == 1);
        return _ring.Read(_records.AsSpan(0, 1));
    }

    /// <summary>ByteRing, a message of 4 KiB.</summary>
    [Benchmark]
    public bool ByteRingMessage()
    {
        Invariant.That(_producer.Write(_message) == MessageBytes);
        _producer.Publish();
        Invariant.That(_consumer.Available() == MessageBytes);
        _consumer.Read(_message);
        return _consumer.Release();
    }
}
