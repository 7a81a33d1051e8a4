// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Arena.Tables;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Scheduler;

/// <summary>
/// Random lives of a few workers: streams break with messages under way, hellos cross results, workers are lost, tasks
/// cancelled, the Scheduler replaced. At every step no worker holds more than it may; in the end every task is done.
/// </summary>
public sealed class SchedulerModelTests
{
    private const uint Slots = 3;
    private const uint Limit = 2 * Slots;

    private sealed class ModelWorker
    {
        public uint Row;
        public long Stream;
        public readonly Queue<AttemptKey> UnderWay = new();
        public readonly List<AttemptKey> InHand = [];
        public readonly List<AttemptKey> Unconfirmed = [];
        public ulong Ended;
    }

    private sealed class Model : IDisposable
    {
        public readonly SchedulerCell Cell = new();
        public readonly List<ModelWorker> Workers = [];
        public readonly List<TaskId> Tasks = [];
        private readonly Random _random;
        private int _sent;
        private int _cancelled;
        private int _closed;

        public Model(int seed)
        {
            _random = new(seed);
            for (var i = 0; i < 3; i++)
            {
                Workers.Add(new() { Row = Cell.AddWorker(Slots) });
            }
        }

        public void Dispose() => Cell.Dispose();

        public void Step()
        {
            var worker = Workers[_random.Next(Workers.Count)];
            switch (_random.Next(12))
            {
                case 0 or 1:
                    Tasks.AddRange(Cell.Submit(_random.Next(1, 6)));
                    break;
                case 2 or 3:
                    Deliver(worker, _random.Next(4));
                    break;
                case 4 or 5:
                    End(worker);
                    break;
                case 6:
                    Report(worker);
                    break;
                case 7:
                    Break(worker);
                    break;
                case 8:
                    Reopen(worker);
                    break;
                case 9:
                    Cell.Cancel(Tasks.Count == 0 ? TaskId.None : Tasks[_random.Next(Tasks.Count)]);
                    break;
                case 10:
                    GiveBack(worker);
                    break;
                default:
                    Rare(worker);
                    break;
            }

            Cell.NowMs += _random.Next(400);
            Turn();
        }

        public void Heal()
        {
            for (var round = 0; round < 1_000 && Tasks.Any(id => Cell.StateOf(id) != TaskState.Free); round++)
            {
                foreach (var worker in Workers)
                {
                    Cell.SetHealth(worker.Row, WorkerHealth.Alive);
                    Cell.NowMs += 1_000;
                    if (worker.Stream == 0)
                    {
                        Reopen(worker);
                    }

                    Turn();
                    Deliver(worker, int.MaxValue);
                    while (worker.InHand.Count > 0)
                    {
                        End(worker);
                    }

                    Report(worker);
                    Turn();
                }
            }
        }

        private void Turn()
        {
            Cell.Run();
            Collect();
            Cell.Core.CheckInvariants();
            foreach (var worker in Workers)
            {
                Assert.InRange(Cell.Core.InFlight(worker.Row), 0ul, Limit);
                Assert.True(
                    worker.Stream == 0 || worker.UnderWay.Count + worker.InHand.Count <= (int)Limit,
                    $"row {worker.Row}: {worker.UnderWay.Count} under way, {worker.InHand.Count} in hand");
            }
        }

        // What the core ordered goes onto the wires.
        private void Collect()
        {
            var effects = Cell.Effects;
            for (; _sent < effects.Sent.Count; _sent++)
            {
                Workers[(int)effects.Sent[_sent].Row].UnderWay.Enqueue(effects.Sent[_sent].Key);
            }

            for (; _closed < effects.Closed.Count; _closed++)
            {
                var worker = Workers[(int)effects.Closed[_closed].Row];
                if (worker.Stream == effects.Closed[_closed].Stream)
                {
                    worker.Stream = 0;
                    worker.UnderWay.Clear();
                }
            }

            for (; _cancelled < effects.Cancelled.Count; _cancelled++)
            {
                // It stops what it has; one that is still under way is met by a worker that remembers the cancellation.
                var (row, key) = effects.Cancelled[_cancelled];
                var worker = Workers[(int)row];
                if (worker.InHand.Remove(key))
                {
                    worker.Ended++;
                }
            }
        }

        private void Deliver(ModelWorker worker, int count)
        {
            for (; count > 0 && worker.UnderWay.TryDequeue(out var key); count--)
            {
                Assert.DoesNotContain(key, worker.InHand);
                worker.InHand.Add(key);
            }
        }

        private void End(ModelWorker worker)
        {
            if (worker.InHand.Count > 0)
            {
                var index = _random.Next(worker.InHand.Count);
                worker.Unconfirmed.Add(worker.InHand[index]);
                worker.InHand.RemoveAt(index);
                worker.Ended++;
            }
        }

        private void Report(ModelWorker worker)
        {
            foreach (var key in worker.Unconfirmed)
            {
                Cell.Finish(worker.Row, key);
            }

            worker.Unconfirmed.Clear();
            Cell.Ended(worker.Row, worker.Ended);
        }

        private void Break(ModelWorker worker)
        {
            if (worker.Stream == 0)
            {
                return;
            }

            Deliver(worker, _random.Next(3));
            worker.UnderWay.Clear();
            Cell.Core.WorkerDispatchClosed(worker.Row, worker.Stream);
            worker.Stream = 0;
        }

        private void Reopen(ModelWorker worker)
        {
            if (_random.Next(2) == 0)
            {
                // The other side has not noticed that the old stream is gone.
                worker.UnderWay.Clear();
                worker.Stream = 0;
            }
            else
            {
                Break(worker);
            }

            var fault = Cell.Open(worker.Row, [.. worker.InHand], [.. worker.Unconfirmed], worker.Ended);
            Assert.True(fault.IsNone, fault.Message);
            worker.Stream = Cell.LastStream;
            Collect();
        }

        private void GiveBack(ModelWorker worker)
        {
            if (worker.Stream != 0 && worker.InHand.Count > 0)
            {
                var key = worker.InHand[^1];
                worker.InHand.RemoveAt(worker.InHand.Count - 1);
                Assert.True(Cell.Core.AttemptsReturned(worker.Row, worker.Stream, [key], Cell.NowMs).IsNone);
            }
        }

        private void Rare(ModelWorker worker)
        {
            switch (_random.Next(4))
            {
                case 0:
                    Cell.SetHealth(worker.Row, _random.Next(2) == 0 ? WorkerHealth.Suspect : WorkerHealth.Alive);
                    break;
                case 1:
                    // Lost, and registered again at once as if by another process.
                    Cell.Lose(worker.Row);
                    Turn();
                    worker.Stream = 0;
                    worker.UnderWay.Clear();
                    worker.InHand.Clear();
                    worker.Unconfirmed.Clear();
                    worker.Ended = 0;
                    Cell.Welcome(worker.Row, Slots, "work");
                    break;
                default:
                    Cell.Restart();
                    foreach (var other in Workers)
                    {
                        other.Stream = 0;
                        other.UnderWay.Clear();
                    }

                    break;
            }
        }
    }

    [Fact]
    public void Scheduler_AnyInterleaving_LosesNothingAndOverloadsNobody()
    {
        for (var seed = 1; seed <= 300; seed++)
        {
            using var model = new Model(seed);
            try
            {
                for (var step = 0; step < 200; step++)
                {
                    model.Step();
                }

                model.Heal();
                Assert.All(model.Tasks, id => Assert.Equal(TaskState.Free, model.Cell.StateOf(id)));
                model.Cell.Arena.Ready.CheckInvariants();
            }
            catch (Exception problem)
            {
                throw new InvalidOperationException($"seed {seed}: {problem.Message}", problem);
            }
        }
    }
}
