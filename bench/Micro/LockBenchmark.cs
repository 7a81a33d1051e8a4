// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using Muster.Arena;
using Muster.Arena.Locks;

namespace Muster.Micro;

/// <summary>The lock between processes, when nobody else wants it.</summary>
public class LockBenchmark
{
    private ArenaMemory _memory = null!;
    private ArenaLock _lock = null!;

    [GlobalSetup]
    public void Fill()
    {
        _memory = ArenaMemory.CreatePrivate(ArenaLayout.PageBytes);
        _lock = new(_memory, 0);
        _lock.Initialise();
    }

    [GlobalCleanup]
    public void Dispose() => _memory.Dispose();

    [Benchmark]
    public bool EnterAndLeave()
    {
        using var scope = _lock.Enter();
        return scope.NeedsRepair;
    }
}
