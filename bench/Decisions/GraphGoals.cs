// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Scheduler.Decisions;
using Muster.Simulator;
using Muster.Simulator.Bounds;

namespace Muster.Decisions;

/// <summary>Makespans of recorded workflows over their lower bounds.</summary>
internal sealed class GraphGoals
{
    private const double MicrosPerSecond = 1e6;
    private const int StragglerSeeds = 10;
    private static readonly double[] s_speeds = [2, 1, 0.5];

    private readonly WorkloadFolder _folder;
    private readonly List<Case> _cases = [];
    private readonly List<double> _boundRatios = [];

    public GraphGoals(WorkloadFolder folder)
    {
        _folder = folder;
        foreach (var workload in folder.Workflows)
        {
            foreach (var at in Case.Sizes)
            {
                _cases.Add(MakeCase(workload, at));
            }
        }
    }

    /// <summary>Own bounds beside those of expected.json.</summary>
    public JsonObject Bounds() => new()
    {
        ["compared"] = _boundRatios.Count,
        ["own_over_expected_min"] = Figures.Round(_boundRatios.DefaultIfEmpty(0).Min()),
        ["own_over_expected_gm"] = Figures.Round(Figures.GeometricMean(_boundRatios)),
        ["own_over_expected_max"] = Figures.Round(_boundRatios.DefaultIfEmpty(0).Max()),
    };

    /// <summary>Durations are told.</summary>
    public JsonObject Given() => Compare("G1 durations given", "adaptive", _ => null, knows: true);

    /// <summary>Durations are learned in the same run.</summary>
    public JsonObject Cold() => Compare("G2 durations unknown", "adaptive", _ => null, knows: false);

    /// <summary>Models are of all other workflows, and the policy sees size hints.</summary>
    public JsonObject Trained() => Compare("G3 models of others", "adaptive", Train, knows: false);

    /// <summary>Speeds 2, 1 and 0.5 in turn.</summary>
    public JsonObject Speeds()
    {
        var result = new JsonObject();
        var worst = 0.0;
        foreach (var slots in (int[])[8, 64])
        {
            var workers = Case.Workers(slots, s_speeds);
            var ratios = new List<double>();
            foreach (var workload in _folder.Workflows)
            {
                var bound = LowerBounds.Of(workload, workers).BestUs;
                var options = new SimulationOptions { Workers = workers, KnowsDurations = true };
                var own = Simulation.Run(workload, options).MakespanUs;
                var fifo = Simulation.Run(workload, options with { Policy = "fifo" }).MakespanUs;
                ratios.Add(own / bound);
                worst = Math.Max(worst, (double)own / fifo);
                Console.WriteLine($"G5 {slots,4} {workload.Name,-45} {own / bound,8:F4} fifo {fifo / bound,8:F4}");
            }

            result[$"gm_{slots}"] = Figures.Round(Figures.GeometricMean(ratios));
            result[$"worst_{slots}"] = Figures.Round(ratios.DefaultIfEmpty(0).Max());
        }

        result["worst_over_fifo"] = Figures.Round(worst);
        return result;
    }

    /// <summary>One start in a hundred takes five times as long.</summary>
    public JsonObject Stragglers()
    {
        var slow = new List<double>();
        var bare = new List<double>();
        var extra = new List<double>();
        foreach (var each in _cases.Where(each => each.IsKnee || each.At == "64"))
        {
            // Of an earlier run of the same workflow, as the product keeps them.
            var models = new ClassModels();
            Simulation.Run(each.Workload, new() { Workers = Case.Workers(each.Slots), Models = models });
            for (var seed = 1ul; seed <= StragglerSeeds; seed++)
            {
                var options = new SimulationOptions
                {
                    Workers = Case.Workers(each.Slots), Seed = seed, Models = Copy(models),
                };
                var clean = Simulation.Run(each.Workload, options);
                var alone = Simulation.Run(each.Workload, options with { SlowPart = 0.01, Models = Copy(models) });
                var copied = Simulation.Run(
                    each.Workload, options with { SlowPart = 0.01, Copies = true, Models = Copy(models) });
                var vain = Simulation.Run(each.Workload, options with { Copies = true, Models = Copy(models) });
                slow.Add((double)copied.MakespanUs / clean.MakespanUs);
                bare.Add((double)alone.MakespanUs / clean.MakespanUs);
                extra.Add(vain.BusyUs / clean.BusyUs);
            }
        }

        return new()
        {
            ["gm"] = Figures.Round(Figures.GeometricMean(slow)),
            ["gm_without_copies"] = Figures.Round(Figures.GeometricMean(bare)),
            ["extra_work"] = Figures.Round(extra.DefaultIfEmpty(1).Average() - 1),
            ["extra_work_worst"] = Figures.Round(extra.DefaultIfEmpty(1).Max() - 1),
        };
    }

    private JsonObject Compare(string title, string policy, Func<Workload, ClassModels?> models, bool knows)
    {
        Console.WriteLine($"{title}: {"workflow",-42} {"slots",6} {"ratio",8} {"fifo",8} {"reference",10}");
        var ratios = new List<(Case Case, double Ratio)>();
        foreach (var each in _cases)
        {
            var ratio = each.Ratio(policy, knows, models(each.Workload));
            var fifo = each.Ratio("fifo", knows);
            var reference = _folder.Expected(each.Workload.Name, "ratio", each.At, knows ? "blevel" : "est");
            ratios.Add((each, ratio));
            Console.WriteLine(
                $"{title}: {each.Workload.Name,-42} {each.Slots,6} {ratio,8:F4} {fifo,8:F4} {reference,10:F4}");
        }

        return new()
        {
            ["gm"] = Figures.Round(Figures.GeometricMean(ratios.Where(e => !e.Case.IsKnee).Select(e => e.Ratio))),
            ["knee"] = Figures.Round(Figures.GeometricMean(ratios.Where(e => e.Case.IsKnee).Select(e => e.Ratio))),
            ["worst"] = Figures.Round(ratios.Select(e => e.Ratio).DefaultIfEmpty(0).Max()),
        };
    }

    private ClassModels Train(Workload held)
    {
        var models = new ClassModels();
        var names = held.HandlerNames.Select((name, at) => (name, at)).ToDictionary(e => e.name, e => e.at);
        foreach (var other in _folder.Workflows.Where(other => other != held))
        {
            for (var task = 0; task < other.Count; task++)
            {
                if (names.TryGetValue(other.HandlerNames[other.Handler[task]], out var handler))
                {
                    models.Add(handler);
                    models.Observe(
                        new() { Handler = handler, Hint = other.Hint[task] }, other.DurationUs[task]);
                }
            }
        }

        return models;
    }

    private static ClassModels Copy(ClassModels models)
    {
        var copy = new ClassModels();
        for (var handler = 0; handler < models.Count; handler++)
        {
            copy.Import(handler, models[handler]);
        }

        return copy;
    }

    private Case MakeCase(Workload workload, string at)
    {
        var chain = new Chains(workload, 1).LongestUs;
        var slots = at == "knee"
            ? (int)(_folder.Expected(workload.Name, "knee") ?? Math.Max(1, Math.Round(workload.AreaUs / chain)))
            : int.Parse(at, System.Globalization.CultureInfo.InvariantCulture);
        var own = LowerBounds.Of(workload, Case.Workers(slots)).BestUs;
        var expected = _folder.Expected(workload.Name, "lower_bound_s", at) * MicrosPerSecond;
        if (expected is { } bound)
        {
            _boundRatios.Add(own / bound);
        }

        return new(workload, at, slots, expected ?? own);
    }
}
