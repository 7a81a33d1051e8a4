// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Simulation.Actors;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Simulation.Roles;

namespace Muster.Simulation.Faults;

/// <summary>Makes happen what goes wrong in a seed, and ends it all when the seed heals.</summary>
internal sealed class FaultScript(
    World world,
    SimCell cell,
    IReadOnlyList<ClientProcess> clients,
    IReadOnlyList<CallerProcess> callers,
    IReadOnlyList<WorkerProcess> workers)
{
    private readonly SeedPlan _plan = cell.Plan;

    public void Arm()
    {
        world.Network.LatencyUsMax = _plan.LatencyUsMax;
        cell.Observer.GoesFirstPermille = _plan.GoesFirstPermille;
        Schedule(FaultKind.KillRole, 4, () => cell.KillRole(AnyRole()));
        Schedule(FaultKind.KillInside, 6, () => cell.Observer.Doom(AnyRole(), 1 + world.Random.Below(25)));
        Schedule(FaultKind.KillAllRoles, 2, KillAllRoles);
        Schedule(FaultKind.PauseRole, 3, () => AnyRole().Pause(world.Random.Skewed(20_000, 8_000_000)));
        Schedule(FaultKind.KillWorker, 4, () => Any(workers).KillAndReturn());
        Schedule(FaultKind.PauseWorker, 3, () => Any(workers).Pause(world.Random.Skewed(100_000, 10_000_000)));
        Schedule(FaultKind.WorkerLeaves, 2, () => Any(workers).LeaveWell());
        Schedule(FaultKind.KillClient, 3, () => KillClient(AnyClient()));
        Schedule(FaultKind.PauseClient, 2, () => AnyClient().Pause(world.Random.Skewed(20_000, 5_000_000)));
        Schedule(FaultKind.BreakLink, 8, BreakAny);
        Schedule(FaultKind.Partition, 2, () => Cut(isOneWay: false));
        Schedule(FaultKind.OneWayPartition, 2, () => Cut(isOneWay: true));
        Schedule(FaultKind.ClockJump, 3, () => cell.JumpWallClock(world.Random.Range(-7_200_000_000, 7_200_000_000)));
        Schedule(FaultKind.PowerLoss, 2, cell.LosePower);
        Schedule(FaultKind.PowerLossInside, 2, () => cell.Disk.DoomPower(1 + world.Random.Below(12)));
        Schedule(FaultKind.ArenaLoss, 2, cell.LoseArena);
        Schedule(FaultKind.DiskFails, 2, () => cell.Disk.FailCalls(1 + world.Random.Below(2)));
        Schedule(FaultKind.DiskFull, 2, FillDisk);
        Schedule(FaultKind.Damage, 1, cell.DamageJournal);
        Schedule(FaultKind.Cancel, 8, () => Any(clients).CancelOne(byCall: world.Random.Chance(500)));
    }

    /// <summary>Nothing goes wrong from here on: who is dead is started, who stands still goes on.</summary>
    public void Heal()
    {
        world.Trace.Add(TraceMark.Healed, -1);
        world.Network.Heal();
        world.Network.LatencyUsMax = Math.Min(world.Network.LatencyUsMax, 5_000);
        cell.Observer.GoesFirstPermille = 0;
        cell.Observer.Reprieve();
        cell.Disk.Heal();
        _plan.DuplicatePermille = 0;
        _plan.WakeDelayUsMax = 300;
        foreach (var process in world.Processes)
        {
            process.Resume();
            if (!process.IsUp)
            {
                process.Start();
            }
        }
    }

    private void Schedule(FaultKind kind, int most, Action act)
    {
        if (!_plan.Faults.HasFlag(kind))
        {
            return;
        }

        for (var count = 1 + world.Random.Below(most); count > 0; count--)
        {
            world.At(world.Random.Range(1_000, _plan.FaultsUs), act);
        }
    }

    private RoleProcess AnyRole() => cell.Roles[world.Random.Below(3)];

    private T Any<T>(IReadOnlyList<T> items) => items[world.Random.Below(items.Count)];

    private void FillDisk()
    {
        cell.Disk.SetFull(true);
        world.At(world.NowUs + world.Random.Skewed(100_000, 3_000_000), () => cell.Disk.SetFull(false));
    }

    private void KillAllRoles()
    {
        foreach (var role in cell.Roles)
        {
            cell.KillRole(role);
        }
    }

    private SimProcess AnyClient() =>
        callers.Count > 0 && world.Random.Chance(300) ? Any(callers) : Any(clients);

    private void KillClient(SimProcess client)
    {
        client.Kill();
        world.At(world.NowUs + world.Random.Skewed(5_000, 2_000_000), () =>
        {
            if (!client.IsUp)
            {
                client.Start();
            }
        });
    }

    private void BreakAny()
    {
        SimProcess process = world.Random.Chance(500) ? Any(clients) : Any(workers);
        if (process.Links.Count > 0)
        {
            Any(process.Links).Break();
        }
    }

    // Between the cell's machine and another one. What is cut for long breaks the connections, too.
    private void Cut(bool isOneWay)
    {
        var process = world.Random.Chance(300) ? AnyClient() : Any(workers);
        if (process.Host == 0)
        {
            return;
        }

        var forUs = world.Random.Skewed(50_000, 12_000_000);
        var isUp = !isOneWay || world.Random.Chance(500);
        var isDown = !isOneWay || !isUp;
        if (isUp)
        {
            world.Network.Block(process.Host, 0, world.NowUs + forUs);
        }

        if (isDown)
        {
            world.Network.Block(0, process.Host, world.NowUs + forUs);
        }

        if (forUs > 2_000_000 && world.Random.Chance(600))
        {
            foreach (var link in process.Links.ToArray())
            {
                link.Break();
            }
        }
    }
}
