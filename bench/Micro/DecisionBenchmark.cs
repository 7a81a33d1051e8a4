// SPDX-License-Identifier: Apache-2.0
using System;
using BenchmarkDotNet.Attributes;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Scheduler;

namespace Muster.Micro;

/// <summary>
/// One turn of the Scheduler that finds work and room: which class, which worker, how many, taken from the heap and
/// handed to the stream. A batch of it goes to one worker.
/// </summary>
public class DecisionBenchmark
{
    private const int BatchMax = 64;

    private PrivateCell _cell = null!;
    private GivenBack _effects = null!;
    private SchedulerCore _core = null!;
    private uint _row;

    /// <summary>Free slots, so tasks, of a turn.</summary>
    [Params(1, BatchMax)]
    public int Room { get; set; }

    [GlobalSetup]
    public void Fill()
    {
        _cell = new();
        _cell.PushFirst(4_000);
        _row = _cell.AddWorker((uint)Room);
        _effects = new(BatchMax);
        _core = new(_cell.Arena, _effects, new());
        _core.TakeOver();
        var facts = new DispatchFacts { WorkerId = _cell.Arena.Workers.IdOf(_row), Nonce = 7 };
        var fault = _core.WorkerDispatchOpened(1, facts, out _);
        Invariant.That(fault.IsNone);
        Turn();
    }

    [GlobalCleanup]
    public void Dispose() => _cell.Dispose();

    [Benchmark]
    public int Turn()
    {
        _core.Run(1_000, 1_000_000);
        var sent = _effects.Sent;
        Invariant.That(sent.Length == Room);

        // As many new tasks are ready, and the worker says that it has ended as many.
        _cell.Renew(sent);
        Invariant.That(_cell.Arena.Ready.Push(Role.Plm, sent) == sent.Length);
        _cell.Arena.Workers[_row].EndedTotal += (ulong)sent.Length;
        _cell.Arena.Workers.MarkChanged(_row);
        _effects.Clear();
        return sent.Length;
    }

    /// <summary>Keeps what was sent until the end of the turn.</summary>
    private sealed class GivenBack(int capacity) : ISchedulerEffects
    {
        private readonly TakenTask[] _sent = new TakenTask[capacity];
        private int _count;

        public Span<TakenTask> Sent => _sent.AsSpan(0, _count);

        public void Clear() => _count = 0;

        public SendOutcome SendAssignments(uint row, in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks)
        {
            tasks.CopyTo(_sent.AsSpan(_count));
            _count += tasks.Length;
            return new(tasks.Length, tasks.Length);
        }

        public void SendCancels(uint row, ReadOnlySpan<AttemptKey> attempts) => Invariant.That(attempts.IsEmpty);

        public void CloseStream(uint row, long stream, Fault fault) =>
            throw new InvalidOperationException(fault.Message);
    }
}
