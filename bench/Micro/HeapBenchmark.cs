// SPDX-License-Identifier: Apache-2.0
using System;
using BenchmarkDotNet.Attributes;
using Muster.Arena.Heap;
using Muster.Core;

namespace Muster.Micro;

/// <summary>
/// The heap of ready tasks: one task out, and a new one in its slot in again, with a backlog behind it.
/// </summary>
public class HeapBenchmark
{
    private const int Batch = 256;

    private readonly TakenTask[] _taken = new TakenTask[Batch];
    private PrivateCell _cell = null!;

    /// <summary>Tasks that are ready.</summary>
    [Params(1_000, 8_000)]
    public int Depth { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _cell = new();
        _cell.PushFirst(Depth);
    }

    [GlobalCleanup]
    public void Dispose() => _cell.Dispose();

    /// <summary>A batch is taken under one hold of the lock, and pushed under another.</summary>
    [Benchmark(OperationsPerInvoke = Batch)]
    public int TakeAndPushBatch() => Cycle(Batch);

    [Benchmark]
    public int TakeAndPushOne() => Cycle(1);

    private int Cycle(int count)
    {
        var tasks = _taken.AsSpan(0, count);
        Invariant.That(_cell.Arena.Ready.Take(_cell.Class, 0, _cell.Arena.Epoch, 2, tasks) == count);
        _cell.Renew(tasks);
        return _cell.Arena.Ready.Push(Role.Plm, tasks);
    }
}
