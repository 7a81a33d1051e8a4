// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using Muster.Arena;
using Muster.Arena.Slabs;
using Muster.Core;

namespace Muster.Micro;

/// <summary>Payload blocks: one allocated and freed, and as many as a batch has.</summary>
public class SlabBenchmark
{
    private const int Batch = 256;
    private const long RegionBytes = 64 << 20;

    private readonly uint[] _blocks = new uint[Batch];
    private ArenaMemory _memory = null!;
    private SlabAllocator _slabs = null!;

    /// <summary>Bytes of a payload.</summary>
    [Params(100, 10_000)]
    public int Length { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _memory = ArenaMemory.CreatePrivate(RegionBytes);
        _slabs = new(new SlabRegion(_memory, 0, RegionBytes));
        _slabs.EndClaims();
    }

    [GlobalCleanup]
    public void Dispose() => _memory.Dispose();

    [Benchmark(OperationsPerInvoke = Batch)]
    public void AllocateAndFreeBatch()
    {
        for (var n = 0; n < Batch; n++)
        {
            Invariant.That(_slabs.TryAllocate(Length, out _blocks[n]));
        }

        foreach (var block in _blocks)
        {
            _slabs.Free(block, Length);
        }
    }

    [Benchmark]
    public void AllocateAndFreeOne()
    {
        Invariant.That(_slabs.TryAllocate(Length, out var block));
        _slabs.Free(block, Length);
    }
}
