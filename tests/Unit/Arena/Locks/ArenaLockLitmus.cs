// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using Muster.Arena;
using Muster.Arena.Locks;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Unit.Arena.Locks;

/// <summary>
/// Threads change two words under one lock; some end with the change half done, some come in, see that a repair is due,
/// and leave again without making it. Nobody may ever meet half a change without being told. The twins each leave out
/// one safeguard, and the same run must catch each of them. (That Dirty is written before the change needs a barrier
/// only on processors that reorder stores; on x86-64 its absence cannot be shown.)
/// </summary>
public sealed class ArenaLockLitmus(ITestOutputHelper output) : IDisposable
{
    private const int Threads = 3;
    private const int Visits = 4_000;
    private const int TwinRunsMax = 20;

    private readonly ArenaMap _map = ArenaFile.CreatePrivate(new() { TasksMax = 1_024, PayloadBytesMax = 1 << 20 });

    private int _inside;
    private int _visitsLeft;
    private int _deaths;
    private int _violations;

    public enum Safeguards
    {
        All,

        /// <summary>Takes the word of a dead holder for an ordinary entry.</summary>
        DeafToDeath,

        /// <summary>No dirty flag: what the first to come after a death does not mend is forgotten.</summary>
        WithoutDirtyFlag,

        /// <summary>Does not exclude.</summary>
        WithoutMutex,
    }

    public void Dispose() => _map.Dispose();

    [Fact]
    public void Run_TheLockAsItIs_NobodyMeetsHalfAChangeUntold()
    {
        Run(Safeguards.All);
        output.WriteLine($"{Visits} visits, {_deaths} deaths inside, {_violations} violations");
        Assert.Equal(0, _violations);
        Assert.True(_deaths > 10);
    }

    [Theory]
    [InlineData(Safeguards.DeafToDeath)]
    [InlineData(Safeguards.WithoutDirtyFlag)]
    [InlineData(Safeguards.WithoutMutex)]
    public void Run_BrokenTwin_IsCaught(Safeguards safeguards)
    {
        for (var run = 1; run <= TwinRunsMax; run++)
        {
            Run(safeguards);
            if (_violations > 0)
            {
                output.WriteLine($"{safeguards}: {_violations} violations in run {run}");
                return;
            }
        }

        Assert.Fail($"{safeguards} was not noticed in {TwinRunsMax} runs");
    }

    private void Run(Safeguards safeguards)
    {
        _map.ProofWords.Clear();
        _visitsLeft = Visits;
        var threads = Enumerable.Range(0, Threads).Select(seed => new Thread(() => Keep(safeguards, seed))).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
    }

    /// <summary>Sends visitors one after the other, a new thread whenever one has ended inside.</summary>
    private void Keep(Safeguards safeguards, int seed)
    {
        var random = new Random(seed);
        while (Volatile.Read(ref _visitsLeft) > 0)
        {
            var visitor = new Thread(() =>
            {
                while (Interlocked.Decrement(ref _visitsLeft) >= 0 && Visit(safeguards, random))
                {
                }
            });
            visitor.Start();
            visitor.Join();
        }
    }

    /// <returns>Whether the visitor came out alive.</returns>
    private bool Visit(Safeguards safeguards, Random random)
    {
        var dice = random.Next(100);
        if (safeguards == Safeguards.WithoutMutex)
        {
            return Change(needsRepair: false, dies: false);
        }

        var scope = _map.NamesLock.Enter();
        var needsRepair = scope.NeedsRepair && safeguards != Safeguards.DeafToDeath;
        var leavesAtOnce = needsRepair && dice < 40;
        var dies = !leavesAtOnce && dice >= 98;
        if (!leavesAtOnce || safeguards == Safeguards.WithoutDirtyFlag)
        {
            MarkRepaired(scope);
        }

        if (leavesAtOnce)
        {
            scope.Dispose();
            return true;
        }

        if (!Change(needsRepair, dies))
        {
            Interlocked.Increment(ref _deaths);
            return false;
        }

        scope.Dispose();
        return true;
    }

    private static void MarkRepaired(ArenaLock.Scope scope)
    {
        if (scope.NeedsRepair)
        {
            scope.MarkRepaired();
        }
    }

    private bool Change(bool needsRepair, bool dies)
    {
        var words = _map.ProofWords;
        if (Interlocked.Increment(ref _inside) != 1)
        {
            Interlocked.Increment(ref _violations);
        }

        if (needsRepair)
        {
            words[1] = words[0];
        }
        else if (Volatile.Read(ref words[0]) != Volatile.Read(ref words[1]))
        {
            Interlocked.Increment(ref _violations);
            words[1] = words[0];
        }

        Volatile.Write(ref words[0], words[0] + 1);
        Thread.SpinWait(20);
        Interlocked.Decrement(ref _inside);
        if (dies)
        {
            return false;
        }

        Volatile.Write(ref words[1], words[1] + 1);
        return true;
    }
}
