// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text.Json.Nodes;
using Muster.Simulator;

namespace Muster.Decisions;

/// <summary>Measures the scheduler's decisions on every workload of a folder. The last line is JSON.</summary>
internal static class Program
{
    public static int Main(string[] args)
    {
        if (args.Length < 1 || !Directory.Exists(args[0]))
        {
            Console.Error.WriteLine("usage: sched-bench FOLDER [G1 G2 ...]: a folder with workloads");
            return 2;
        }

        try
        {
            var folder = new WorkloadFolder(args[0]);
            var wanted = args.Skip(1).ToHashSet(StringComparer.OrdinalIgnoreCase);
            var all = new JsonObject();
            foreach (var (name, measure) in Goals(folder))
            {
                if (wanted.Count == 0 || wanted.Contains(name))
                {
                    all[name] = measure();
                }
            }

            Console.WriteLine(all.ToJsonString());
            return 0;
        }
        catch (WorkloadFormatException broken)
        {
            Console.Error.WriteLine(broken.Message);
            return 65;
        }
    }

    private static IEnumerable<(string Name, Func<JsonObject> Measure)> Goals(WorkloadFolder folder)
    {
        var graphs = new GraphGoals(folder);
        yield return ("bounds", graphs.Bounds);
        yield return ("G1", graphs.Given);
        yield return ("G2", graphs.Cold);
        yield return ("G3", graphs.Trained);
        yield return ("G4", () => LooseGoal.Measure(folder));
        yield return ("G5", graphs.Speeds);
        yield return ("G6", () => new JsonObject
        {
            ["measured"] = false,
            ["why"] = "needs the running product; this program runs the simulator alone",
        });
        yield return ("G7", CostGoal.Measure);
        yield return ("G8", FairnessGoal.Measure);
        yield return ("G9", graphs.Stragglers);
        yield return ("G10", () => RigidGoal.Measure(folder));
    }
}
