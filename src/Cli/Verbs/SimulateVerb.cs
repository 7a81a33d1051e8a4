// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Text.Json;
using Muster.Cli.Arguments;
using Muster.Cli.Output;
using Muster.Scheduler.Decisions;
using Muster.Simulator;
using Muster.Simulator.Bounds;
using Muster.Simulator.Formats;
using Muster.Simulator.Reports;

namespace Muster.Cli.Verbs;

/// <summary>muster simulate: how recorded tasks would have run, under which policy. Needs no cell.</summary>
internal static class SimulateVerb
{
    public const string WorkloadInvalid = "WORKLOAD_INVALID";

    private const int RepeatMax = 100_000;

    public static Command Create(VerbContext context)
    {
        var file = new Argument<string>("file")
        {
            Description = "WfFormat 1.5, SWF, Estee JSON or invocations as CSV; may be packed with gzip",
        };
        var options = new SimulateOptions();
        var verb = new Command(
            CommandVerbs.Simulate, "Say how recorded tasks would run on so many slots, under which policy")
        {
            file,
        };
        options.AddTo(verb);
        verb.SetAction(result => Run(context.Terminal, result.GetRequiredValue(file), options.Read(result)));
        return verb;
    }

    private static int Run(Terminal terminal, string file, SimulatePlan plan)
    {
        IReadOnlyList<Workload> workloads;
        try
        {
            workloads = WorkloadFile.Read(file);
        }
        catch (WorkloadFormatException broken)
        {
            terminal.Problem(WorkloadInvalid, broken.Message);
            return ExitCodes.Refused;
        }

        var reports = new List<SimulationReport>();
        foreach (var recorded in workloads.Where(each => plan.Graph is null || each.Name == plan.Graph))
        {
            var workload = plan.Repeat == 1 ? recorded : WorkloadRepeat.Of(recorded, Math.Min(plan.Repeat, RepeatMax));
            var simulation = plan.OptionsFor(workload);
            var run = Simulation.Run(workload, simulation);
            reports.Add(new(run, LowerBounds.Of(workload, simulation.Workers)));
            if (plan.Gantt is { } picture)
            {
                Draw(picture, run);
            }
        }

        if (reports.Count == 0)
        {
            throw new UsageException($"'{file}' holds no graph '{plan.Graph}'");
        }

        if (plan.IsJson)
        {
            reports.ForEach(report => terminal.Line(JsonLines.Write(writer => WriteJson(writer, report))));
        }
        else
        {
            Print(terminal, reports);
        }

        return ExitCodes.Success;
    }

    private static void Draw(string picture, SimulationResult run)
    {
        if (run.Workload.Count > GanttSvg.TasksMax)
        {
            throw new UsageException($"--gantt draws at most {GanttSvg.TasksMax} tasks");
        }

        using var writer = new StreamWriter(picture, append: false, new UTF8Encoding(false));
        GanttSvg.Write(run, writer);
    }

    private static void Print(Terminal terminal, List<SimulationReport> reports)
    {
        var table = new TextTable(
            "WORKLOAD", "POLICY", "TASKS", "SLOTS", "MAKESPAN", "RATIO", "PATH", "AREA", "ENERGETIC", "SLOWDOWN P50",
            "P99", "P99.9", "FAIRNESS", "USE", "DECISIONS/S");
        foreach (var report in reports)
        {
            table.Add(
                report.Workload, report.Policy, Text(report.Tasks, "F0"), Text(report.Slots, "F0"),
                Text(report.MakespanS, "F3"), Text(report.Ratio, "F4"), Text(report.CriticalPathS, "F3"),
                Text(report.AreaS, "F3"), report.IsEnergeticKnown ? Text(report.EnergeticS, "F3") : "-",
                Text(report.Slowdown(0.5), "F2"), Text(report.Slowdown(0.99), "F2"),
                Text(report.Slowdown(0.999), "F2"), Text(report.Fairness, "F3"), Text(report.Utilisation, "F3"),
                Text(report.DecisionsPerSecond, "F0"));
        }

        table.Print(terminal);
    }

    private static void WriteJson(Utf8JsonWriter writer, SimulationReport report)
    {
        writer.WriteStartObject();
        writer.WriteString("workload", report.Workload);
        writer.WriteString("policy", report.Policy);
        writer.WriteNumber("tasks", report.Tasks);
        writer.WriteNumber("edges", report.Edges);
        writer.WriteNumber("slots", report.Slots);
        writer.WriteNumber("makespan_s", report.MakespanS);
        writer.WriteStartObject("lower_bound_s");
        writer.WriteNumber("critical_path", report.CriticalPathS);
        writer.WriteNumber("area", report.AreaS);
        if (report.IsEnergeticKnown)
        {
            writer.WriteNumber("energetic", report.EnergeticS);
        }

        writer.WriteEndObject();
        writer.WriteNumber("ratio", report.Ratio);
        writer.WriteStartObject("slowdown");
        writer.WriteNumber("p50", report.Slowdown(0.5));
        writer.WriteNumber("p90", report.Slowdown(0.9));
        writer.WriteNumber("p99", report.Slowdown(0.99));
        writer.WriteNumber("p999", report.Slowdown(0.999));
        writer.WriteNumber("max", report.Slowdown(1));
        writer.WriteEndObject();
        writer.WriteNumber("fairness", report.Fairness);
        writer.WriteNumber("utilisation", report.Utilisation);
        writer.WriteNumber("decisions", report.Decisions);
        writer.WriteNumber("copies", report.Copies);
        writer.WriteNumber("decisions_per_second", report.DecisionsPerSecond);
        writer.WriteEndObject();
    }

    private static string Text(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
