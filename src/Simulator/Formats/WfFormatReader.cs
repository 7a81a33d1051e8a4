// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator.Formats;

/// <summary>
/// Recorded workflows in WfFormat 1.5: tasks with parents, children and files in <c>specification</c>, what they took
/// in <c>execution</c>. A task takes one slot. Its class is the program it ran when that is one word, else its name
/// without the number at the end; its size hint is the bytes of its input files.
/// </summary>
internal static class WfFormatReader
{
    private const string Version = "1.5";

    /// <summary>What took no time that was measured takes this.</summary>
    private const double SecondsLeast = 0.001;

    private const double SecondsMax = 1e9;

    public static Workload Read(string name, PlacedJson root)
    {
        if (root["schemaVersion"].Text != Version)
        {
            throw root["schemaVersion"].Bad($"'{root["schemaVersion"].Text}' is not {Version}");
        }

        var workflow = root["workflow"];
        var specified = workflow["specification"]["tasks"].Items;
        if (specified.Count == 0)
        {
            throw workflow["specification"]["tasks"].Bad("there is no task");
        }

        var ran = Executions(workflow["execution"]["tasks"]);
        var sizes = Sizes(workflow["specification"].Optional("files"));
        var builder = new WorkloadBuilder();
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var task in specified)
        {
            var id = task["id"].Text;
            if (!numbers.TryAdd(id, numbers.Count))
            {
                throw task["id"].Bad($"'{id}' is there twice");
            }

            if (!ran.TryGetValue(id, out var execution))
            {
                throw task["id"].Bad($"'{id}' has no entry in workflow.execution.tasks");
            }

            var seconds = Math.Max(execution["runtimeInSeconds"].Amount(SecondsMax), SecondsLeast);
            var number = builder.Add(ClassOf(task, execution), (long)Math.Round(seconds * 1e6), new Resources(1));
            builder.SetHint(number, InputBytes(task, sizes));
            builder.AddName(id);
        }

        AddEdges(specified, numbers, builder);
        var workload = builder.TryBuild(name, boundUs: 10_000, [], out var cyclic);
        return workload ?? throw specified[cyclic]["parents"].Bad("the task waits for itself through its parents");
    }

    private static Dictionary<string, PlacedJson> Executions(PlacedJson tasks)
    {
        var executions = new Dictionary<string, PlacedJson>(StringComparer.Ordinal);
        foreach (var task in tasks.Items)
        {
            if (!executions.TryAdd(task["id"].Text, task))
            {
                throw task["id"].Bad($"'{task["id"].Text}' is there twice");
            }
        }

        return executions;
    }

    private static Dictionary<string, double> Sizes(PlacedJson? files)
    {
        var sizes = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var file in files?.Items ?? [])
        {
            sizes[file["id"].Text] = file["sizeInBytes"].Amount(1e18);
        }

        return sizes;
    }

    private static double InputBytes(PlacedJson task, Dictionary<string, double> sizes)
    {
        var bytes = 0.0;
        foreach (var file in task.Optional("inputFiles")?.Items ?? [])
        {
            bytes += sizes.GetValueOrDefault(file.Text);
        }

        return bytes;
    }

    private static void AddEdges(
        IReadOnlyList<PlacedJson> tasks, Dictionary<string, int> numbers, WorkloadBuilder builder)
    {
        for (var task = 0; task < tasks.Count; task++)
        {
            foreach (var parent in tasks[task].Optional("parents")?.Items ?? [])
            {
                builder.AddEdge(Known(numbers, parent), task);
            }

            foreach (var child in tasks[task].Optional("children")?.Items ?? [])
            {
                builder.AddEdge(task, Known(numbers, child));
            }
        }
    }

    private static int Known(Dictionary<string, int> numbers, PlacedJson id) =>
        numbers.TryGetValue(id.Text, out var number) ? number : throw id.Bad($"there is no task '{id.Text}'");

    private static string ClassOf(PlacedJson task, PlacedJson execution)
    {
        if (execution.Optional("command")?.Optional("program") is { } program && IsWord(program.Text))
        {
            return program.Text;
        }

        var name = (task.Optional("name") ?? task["id"]).Text;
        var end = name.Length;
        while (end > 0 && char.IsAsciiDigit(name[end - 1]))
        {
            end--;
        }

        var word = name[..end];
        word = word.EndsWith("_ID", StringComparison.Ordinal) ? word[..^3] : word.TrimEnd('_');
        return end == name.Length || word.Length == 0 ? name : word;
    }

    private static bool IsWord(string text) => text.Length > 0 && !text.Any(char.IsWhiteSpace);
}
