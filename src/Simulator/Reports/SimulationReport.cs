// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Muster.Simulator.Bounds;

namespace Muster.Simulator.Reports;

/// <summary>The figures of one run. Times are in seconds.</summary>
internal sealed class SimulationReport
{
    public SimulationReport(SimulationResult result, LowerBounds bounds)
    {
        var workload = result.Workload;
        var slots = result.Options.Workers.Sum(worker => (double)worker.Has.Slots);
        Workload = workload.Name;
        Policy = result.Options.Policy;
        Tasks = workload.Count;
        Edges = workload.Children.Length;
        Slots = slots;
        MakespanS = result.MakespanUs / 1e6;
        CriticalPathS = bounds.CriticalPathUs / 1e6;
        AreaS = bounds.AreaUs / 1e6;
        EnergeticS = bounds.EnergeticUs / 1e6;
        IsEnergeticKnown = bounds.IsEnergeticKnown;
        Ratio = bounds.BestUs > 0 ? result.MakespanUs / bounds.BestUs : 1;
        Utilisation = result.MakespanUs > 0 ? result.BusyUs / (slots * result.MakespanUs) : 0;
        Decisions = result.Decisions;
        Copies = result.Copies;
        DecisionsPerSecond = result.Decisions / Math.Max(result.WallSeconds, 1e-9);
        Slowdowns = new double[workload.Count];
        for (var task = 0; task < workload.Count; task++)
        {
            Slowdowns[task] = Math.Max(
                1, (double)(result.EndUs[task] - result.ReadyUs[task])
                    / Math.Max(workload.DurationUs[task], workload.SlowdownBoundUs));
        }

        Fairness = Jain(workload);
        Array.Sort(Slowdowns);
    }

    public string Workload { get; }

    public string Policy { get; }

    public int Tasks { get; }

    public int Edges { get; }

    public double Slots { get; }

    public double MakespanS { get; }

    public double CriticalPathS { get; }

    public double AreaS { get; }

    public double EnergeticS { get; }

    public bool IsEnergeticKnown { get; }

    /// <summary>Makespan over the best bound.</summary>
    public double Ratio { get; }

    /// <summary>Part of all slot time in which something ran.</summary>
    public double Utilisation { get; }

    public long Decisions { get; }

    public long Copies { get; }

    /// <summary>Per second of this machine, with all that the simulation does besides.</summary>
    public double DecisionsPerSecond { get; }

    /// <summary>Jain's index over the users' mean slowdowns; 1 with one user.</summary>
    public double Fairness { get; }

    // Sorted.
    private double[] Slowdowns { get; }

    /// <summary>The bounded slowdown that this part of all tasks is not above.</summary>
    public double Slowdown(double part) =>
        Slowdowns[Math.Clamp((int)Math.Ceiling(part * Slowdowns.Length) - 1, 0, Slowdowns.Length - 1)];

    private double Jain(Workload workload)
    {
        var users = workload.User.Max() + 1;
        var sums = new double[users];
        var counts = new int[users];
        for (var task = 0; task < workload.Count; task++)
        {
            sums[workload.User[task]] += Slowdowns[task];
            counts[workload.User[task]]++;
        }

        var means = sums.Select((sum, user) => sum / Math.Max(1, counts[user])).ToArray();
        return means.Sum() * means.Sum() / (users * means.Sum(mean => mean * mean));
    }
}
