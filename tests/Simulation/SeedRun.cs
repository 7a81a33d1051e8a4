// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Arena;
using Muster.Checking;
using Muster.Core.Tasks;
using Muster.Simulation.Actors;
using Muster.Simulation.Faults;
using Muster.Simulation.Kernel;
using Muster.Simulation.Roles;

namespace Muster.Simulation;

/// <summary>
/// One seed from its beginning to its verdict: a whole cell with its clients and workers lives through what the seed
/// has in store, then everything heals, and everything that was accepted must come to its end.
/// </summary>
internal sealed class SeedRun : IDisposable
{
    /// <summary>How many events between two looks at every invariant of the cores.</summary>
    private const int EventsPerLook = 16;

    private readonly World _world;
    private readonly SeedPlan _plan;
    private readonly SimCell _cell;
    private readonly List<ClientProcess> _clients = [];
    private readonly List<CallerProcess> _callers = [];
    private readonly List<WorkerProcess> _workers = [];
    private readonly FaultScript _faults;

    public SeedRun(ulong seed, Action<string>? print = null, FaultKind focus = FaultKind.None)
    {
        _world = new World(seed, print);
        _plan = new SeedPlan(_world.Random, focus);
        _cell = new SimCell(_world, _plan);
        AddClients();
        AddWorkers();
        _faults = new FaultScript(_world, _cell, _clients, _callers, _workers);
        Workload.Plan(_world.Random, _plan, _clients, _callers);
    }

    public World World => _world;

    public SeedPlan Plan => _plan;

    /// <summary>Lives the seed through.</summary>
    /// <returns>What was violated; empty when all is well.</returns>
    public List<Violation> Run()
    {
        var violations = new List<Violation>();
        try
        {
            Live();
        }
        catch (Exception exception)
        {
            // A broken invariant of a core, or what no fault may cause: the seed ends here.
            violations.Add(new("core", $"{exception.GetType().Name}: {exception.Message}\n{exception.StackTrace}",
                _world.History.Count));
        }

        violations.AddRange(HistoryChecker.Check(_world.History));
        return violations;
    }

    public void Dispose() => _cell.Dispose();

    private void AddClients()
    {
        for (var at = 0; at < _plan.Clients; at++)
        {
            var client = new ClientProcess(_world, _cell, 10 + at, _world.Random.Chance(400) ? 0 : 1 + at);
            _clients.Add(client);
            _world.Join(client);
        }

        if (_world.Random.Chance(500))
        {
            var caller = new CallerProcess(_world, _cell, 18, _world.Random.Chance(400) ? 0 : 4);
            _callers.Add(caller);
            _world.Join(caller);
        }
    }

    private void AddWorkers()
    {
        for (var at = 0; at < _plan.Workers; at++)
        {
            // The first one offers everything, so that all can end.
            var first = at == 0 || _world.Random.Chance(700);
            var host = _world.Random.Chance(400) ? 0 : 5 + at;
            var slots = 1 + _world.Random.Below(4);
            var second = !first || at == 0 || _world.Random.Chance(600);
            var worker = new WorkerProcess(_world, _cell, 20 + at, host, slots, first, second);
            _workers.Add(worker);
            _world.Join(worker);
            if (host == 0)
            {
                _cell.AddLocal(worker);
            }
        }
    }

    private void Live()
    {
        foreach (var process in _world.Processes)
        {
            _world.At(_world.Random.Range(0, 20_000), () =>
            {
                if (!process.IsUp)
                {
                    process.Start();
                }
            });
        }

        _faults.Arm();
        while (Step(_plan.FaultsUs))
        {
        }

        _faults.Heal();
        var end = _world.NowUs + _plan.EndWithinUs;
        Record(HistoryOp.Healed, HistoryOutcome.Ok, (ulong)_plan.EndWithinUs);
        var isDrained = false;
        while (!isDrained && Step(end))
        {
            isDrained = _world.EventsRun % 8 == 0 && IsDrained();
        }

        Record(HistoryOp.Drained, isDrained ? HistoryOutcome.Ok : HistoryOutcome.Refused);
        if (isDrained)
        {
            CheckNothingIsLeft();
        }
        else
        {
            SayWhatIsLeft();
        }
    }

    private void SayWhatIsLeft()
    {
        var arena = _cell.Arena;
        for (var index = 0u; index < arena.Tasks.HighWater; index++)
        {
            ref var slot = ref arena.Tasks[index];
            var word = arena.Tasks.Read(index);
            if (word.State != TaskState.Free)
            {
                _world.Trace.Say($"left: slot {index} {word} profile {slot.Profile} client {slot.Client} worker "
                    + $"{slot.Worker} executions {slot.Executions} outcome {slot.Outcome} flags {slot.Flags}");
            }
        }

        for (var row = 0u; row < arena.Workers.HighWater; row++)
        {
            ref var worker = ref arena.Workers[row];
            _world.Trace.Say($"worker row {row} epoch {worker.Epoch} {arena.Workers.Health(row)} "
                + $"{arena.Workers.Name(row)} slots {worker.Slots} in flight {worker.InFlight} dispatching "
                + $"{worker.Dispatching} ended {worker.EndedTotal}");
        }

        foreach (var client in _clients)
        {
            _world.Trace.Say($"{client.Name} has work: {client.HasWork}");
        }

        foreach (var worker in _workers)
        {
            _world.Trace.Say($"{worker.Name} is idle: {worker.IsIdle}");
        }
    }

    private bool Step(long untilUs)
    {
        if (!_world.Step(untilUs))
        {
            return false;
        }

        _cell.PollWakes();
        if (_world.EventsRun % EventsPerLook == 0)
        {
            _cell.CheckInvariants();
        }

        return true;
    }

    private bool IsDrained()
    {
        foreach (var role in _cell.Roles)
        {
            if (!role.IsUp)
            {
                return false;
            }
        }

        if (_cell.Arena.Counter(CellCounter.TasksNow) != (ulong)KeptTasks().Count)
        {
            return false;
        }

        foreach (var client in _clients)
        {
            if (!client.IsUp || client.HasWork)
            {
                return false;
            }
        }

        foreach (var caller in _callers)
        {
            if (!caller.IsUp || caller.HasWork)
            {
                return false;
            }
        }

        foreach (var worker in _workers)
        {
            if (!worker.IsUp || !worker.IsIdle)
            {
                return false;
            }
        }

        return true;
    }

    // Ended tasks that no session holds. A caller has released each of them, but the power may have gone before the
    // disk knew of it; such a task is back, and kept for its retention.
    private List<ulong> KeptTasks()
    {
        var tasks = _cell.Arena.Tasks;
        var kept = new List<ulong>();
        for (var index = 0u; index < tasks.HighWater; index++)
        {
            if (tasks.Read(index).State == TaskState.Done && tasks[index].Client == 0)
            {
                kept.Add(tasks.IdOf(index).Value);
            }
        }

        return kept;
    }

    // Successors claim what the slots own; nothing may be owned any more.
    private void CheckNothingIsLeft()
    {
        _cell.CheckInvariants();
        _cell.Plm.TryTurn((core, _) => core.ReleaseTasks(KeptTasks().ToArray()));
        foreach (var role in _cell.Roles)
        {
            role.Kill();
            role.Start();
        }

        var arena = _cell.Arena;
        RecordBound("payload bytes", (ulong)arena.Payloads.UsedBytes, 0);
        RecordBound("result bytes", (ulong)arena.Results.UsedBytes, 0);
        RecordBound("ready tasks", arena.Ready.Count, 0);
        RecordBound("tasks", arena.Counter(CellCounter.TasksNow), 0);
        _cell.CheckInvariants();
    }

    private void RecordBound(string what, ulong value, ulong bound) =>
        _world.Record(new(_world.NowUs, what, HistoryOp.Bound, Value: value, Detail: bound), -1);

    private void Record(HistoryOp op, HistoryOutcome outcome, ulong value = 0) =>
        _world.Record(new(_world.NowUs, "world", op, Outcome: outcome, Value: value), -1);
}
