// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator.Formats;

/// <summary>
/// Task graphs as Estee keeps them: a table of graphs, each a JSON text of tasks with a duration, the author's guess of
/// it, cores, and inputs as pairs of task and output. The guess makes the class: the author's word for what is alike.
/// The size hint is what the inputs weigh.
/// </summary>
internal static class EsteeReader
{
    private const double SecondsMax = 1e9;
    private const int CoresMax = 1 << 20;

    public static IReadOnlyList<Workload> Read(PlacedJson root)
    {
        var workloads = new List<Workload>();
        foreach (var (row, name) in root["graph_name"].Members)
        {
            workloads.Add(ReadGraph(name.Text, root["graph"][row].Inner()));
        }

        return workloads.Count > 0 ? workloads : throw root["graph_name"].Bad("there is no graph");
    }

    private static Workload ReadGraph(string name, PlacedJson tasks)
    {
        if (tasks.Items.Count == 0)
        {
            throw tasks.Bad("there is no task");
        }

        var builder = new WorkloadBuilder();
        foreach (var task in tasks.Items)
        {
            var cores = task.Optional("cpus")?.Whole(1, CoresMax) ?? 1;
            var guess = task.Optional("e_d") is { } given ? Class(given.Amount(SecondsMax)) : "unguessed";
            var seconds = task["d"].Amount(SecondsMax);
            builder.Add($"{guess}x{cores}", Math.Max(1, (long)Math.Round(seconds * 1e6)), new Resources(cores));
        }

        for (var task = 0; task < tasks.Items.Count; task++)
        {
            AddInputs(tasks, task, builder);
        }

        return builder.TryBuild(name, boundUs: 10_000, [], out var cyclic)
            ?? throw tasks.Items[cyclic]["inputs"].Bad("the task waits for itself through its inputs");
    }

    private static void AddInputs(PlacedJson tasks, int task, WorkloadBuilder builder)
    {
        var bytes = 0.0;
        foreach (var input in tasks.Items[task].Optional("inputs")?.Items ?? [])
        {
            if (input.Items.Count != 2)
            {
                throw input.Bad("an input is a pair of task and output");
            }

            var parent = input.Items[0].Whole(0, tasks.Items.Count - 1);
            var outputs = tasks.Items[parent]["outputs"].Items;
            var output = input.Items[1].Whole(0, int.MaxValue);
            if (output >= outputs.Count)
            {
                throw input.Bad($"task {parent} has no output {output}");
            }

            // Sizes are in mebibytes.
            bytes += outputs[output]["s"].Amount(1e12) * 1_048_576;
            builder.AddEdge(parent, task);
        }

        builder.SetHint(task, bytes);
    }

    private static string Class(double guess) =>
        guess.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
}
