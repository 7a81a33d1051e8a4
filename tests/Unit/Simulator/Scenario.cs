// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using Muster.Scheduler.Decisions;
using Muster.Simulator;

namespace Muster.Unit.Simulator;

/// <summary>
/// A cluster and its tasks as text, and the decisions that a policy makes of them. Lines: "policy NAME",
/// "worker SLOTS [SPEED]", "task NAME SECONDS [slots=N] [at=SECONDS] [user=NAME] [after=NAME,...]", and the expected
/// starts in order: "start SECONDS NAME WORKER".
/// </summary>
internal sealed class Scenario
{
    private readonly List<string> _names = [];
    private readonly List<WorkerShape> _workers = [];
    private readonly WorkloadBuilder _builder = new();
    private string _policy = PolicyCatalog.Default;

    public List<string> Expected { get; } = [];

    public static Scenario Parse(string text)
    {
        var scenario = new Scenario();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            scenario.Read(line.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }

        return scenario;
    }

    /// <summary>What was decided, as lines of the same form.</summary>
    public List<string> Decide()
    {
        var workload = _builder.TryBuild("scenario", 10_000, [], out _)!;
        var run = Muster.Simulator.Simulation.Run(workload, new()
        {
            Workers = _workers, Policy = _policy, KnowsDurations = true, ChecksInvariants = true,
        });
        return [.. run.Order.Select(task => string.Create(
            CultureInfo.InvariantCulture, $"start {run.StartUs[task] / 1e6} {_names[task]} {run.Worker[task]}"))];
    }

    private void Read(string[] words)
    {
        switch (words[0])
        {
            case "policy":
                _policy = words[1];
                break;
            case "worker":
                _workers.Add(new(new((int)Number(words[1])), words.Length > 2 ? Number(words[2]) : 1));
                break;
            case "task":
                ReadTask(words);
                break;
            case "start":
                Expected.Add(string.Join(' ', words));
                break;
            default:
                throw new FormatException($"a line begins with '{words[0]}'");
        }
    }

    private void ReadTask(string[] words)
    {
        var options = words.Skip(3).Select(word => word.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        var task = _builder.Add(
            words[1], (long)(Number(words[2]) * 1e6),
            new((int)Number(options.GetValueOrDefault("slots", "1"))),
            (long)(Number(options.GetValueOrDefault("at", "0")) * 1e6));
        _builder.SetUser(task, options.GetValueOrDefault("user", ""));
        foreach (var parent in options.GetValueOrDefault("after", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            _builder.AddEdge(_names.IndexOf(parent), task);
        }

        _names.Add(words[1]);
    }

    private static double Number(string word) => double.Parse(word, CultureInfo.InvariantCulture);
}
