// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Muster.Cli.Arguments;
using Muster.Scheduler.Decisions;
using Muster.Simulator;

namespace Muster.Cli.Verbs;

/// <summary>What muster simulate was asked to do.</summary>
internal sealed record SimulatePlan
{
    private const int WorkersMax = DecisionLimits.WorkersMax;

    public int? Slots { get; init; }
    public string? Workers { get; init; }
    public required IReadOnlyList<double> Speeds { get; init; }
    public required string Policy { get; init; }
    public required Placement Placement { get; init; }
    public bool KnowsDurations { get; init; }
    public long RoundTripUs { get; init; }
    public bool Copies { get; init; }
    public double SlowPart { get; init; }
    public int Repeat { get; init; } = 1;
    public ulong Seed { get; init; }
    public string? Graph { get; init; }
    public string? Gantt { get; init; }
    public bool IsJson { get; init; }

    /// <summary>The run of one workload. Refuses a task that no worker could ever run.</summary>
    public SimulationOptions OptionsFor(Workload workload)
    {
        var workers = WorkersFor(workload);
        foreach (var (need, at) in workload.Needs.Select((need, at) => (need, at)))
        {
            var room = workers.Sum(worker => Room(worker.Has, need));
            var most = Enumerable.Range(0, workload.Count).Where(task => workload.Need[task] == at)
                .Max(task => workload.Members[task]);
            if (room < most)
            {
                throw new UsageException(
                    $"a task of '{workload.Name}' needs {most} x {need.Slots} slots and {need.MemoryMiB} MiB, which "
                    + "these workers do not have; see --slots and --workers");
            }
        }

        if (workload.Members.Any(members => members > 1) && Policy is "random" or "roundrobin")
        {
            throw new UsageException($"--policy {Policy} cannot start a job on several workers at once");
        }

        return new()
        {
            Workers = workers,
            Policy = Policy,
            Placement = Placement,
            KnowsDurations = KnowsDurations,
            RoundTripUs = RoundTripUs,
            Copies = Copies,
            SlowPart = SlowPart,
            Seed = Seed,
        };
    }

    private IReadOnlyList<WorkerShape> WorkersFor(Workload workload)
    {
        if (Workers is { } text)
        {
            return [.. text.Split(',').SelectMany(Parse).Select((has, at) => new WorkerShape(has, SpeedOf(at)))];
        }

        if (Slots is null && workload.Machines.Count > 0)
        {
            return workload.Machines;
        }

        if (Slots is not { } slots)
        {
            throw new UsageException("--slots N says how many there are; this file does not");
        }

        // A wide task needs one worker that is as wide: all slots of a speed are one.
        var isWide = workload.SlotsMax > 1 || workload.Members.Any(members => members > 1);
        var count = isWide ? Speeds.Count : slots;
        return count > WorkersMax || count > slots
            ? throw new UsageException($"--slots {slots} makes {count} workers; it can be 1 to {WorkersMax} of them")
            : [.. Enumerable.Range(0, count).Select(at => new WorkerShape(new(slots / count), SpeedOf(at)))];
    }

    private double SpeedOf(int worker) => Speeds[worker % Speeds.Count];

    private static long Room(Resources has, Resources need)
    {
        long count = has.Slots / need.Slots;
        return need.MemoryMiB > 0 ? System.Math.Min(count, has.MemoryMiB / need.MemoryMiB) : count;
    }

    private static IEnumerable<Resources> Parse(string text)
    {
        var halves = text.Split('@');
        var numbers = halves[0].Split('x');
        if (halves.Length > 2 || numbers.Length != 2
            || !int.TryParse(numbers[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || !int.TryParse(numbers[1], NumberStyles.None, CultureInfo.InvariantCulture, out var slots)
            || count is < 1 or > WorkersMax || slots is < 1 or > 1 << 24)
        {
            throw new UsageException($"--workers '{text}' is not COUNTxSLOTS, such as 16x8 or 4x64@256G");
        }

        var bytes = halves.Length > 1 ? SharedOptions.ParseBytes("--workers", halves[1]) : 0;
        return Enumerable.Repeat(new Resources(slots, (int)System.Math.Min(bytes >> 20, int.MaxValue)), count);
    }
}
