// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Muster.Load.Suite;

/// <summary>Prints the figures of several workloads for a person, in at most 100 columns.</summary>
internal static class FigureTable
{
    private const int Columns = 100;
    private const string Indent = "                ";

    // Figures that only one workload has, and what a reader calls them.
    private static readonly (string Key, string Text)[] s_others =
    [
        ("per_s", "offered/s"),
        ("fsyncs_per_task", "fsyncs/task"),
        ("syscalls_per_task_of", "system calls/task"),
        ("allocated_bytes_per_task_of", "bytes allocated/task"),
        ("cpu_us_per_task_of", "CPU us"),
        ("enqueue_per_s", "enqueue/s"),
        ("drain_per_s", "drain/s"),
        ("floor_per_s", "bare loop/s"),
        ("register_core_percent", "Register % of a core"),
        ("p50_us_alone", "p50 without fleet"),
        ("recovery_p99_ms", "recovery p99 ms"),
        ("replay_ms", "replay ms"),
        ("rerun_p99_ms", "re-run p99 ms"),
        ("first_result_ms", "first result ms"),
        ("cli_ms", "CLI call ms"),
    ];

    public static void Print(IEnumerable<JsonObject> figures)
    {
        Console.WriteLine();
        Console.WriteLine($"{"",-5}{"durability",-11}{"tasks/s (min-max)",-31}{"p50 us",9}{"p99 us",10}{"floor p50",10}"
            + $"{"CPU us",9}{"B/task",8}");
        foreach (var each in figures)
        {
            var rate = each.ContainsKey("tasks_per_s")
                ? $"{Text(each, "tasks_per_s")} ({Text(each, "tasks_per_s_min")}-{Text(each, "tasks_per_s_max")})"
                : "";
            Console.WriteLine($"{each["workload"],-5}{each["durability"],-11}{rate,-31}{Text(each, "p50_us"),9}"
                + $"{Text(each, "p99_us"),10}{Text(each, "floor_p50_us"),10}{Text(each, "cpu_us_per_task"),9}"
                + $"{Text(each, "bytes_per_task"),8}");
            PrintWrapped(s_others.Where(other => each[other.Key] is not null)
                .Select(other => $"{other.Text} {Text(each, other.Key)}"));
        }

        Console.WriteLine();
    }

    private static void PrintWrapped(IEnumerable<string> parts)
    {
        var line = Indent;
        foreach (var word in string.Join(", ", parts).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + 1 + word.Length > Columns)
            {
                Console.WriteLine(line);
                line = Indent;
            }

            line += line == Indent ? word : " " + word;
        }

        if (line != Indent)
        {
            Console.WriteLine(line);
        }
    }

    private static string Text(JsonObject figures, string name) => figures[name] switch
    {
        null => "",
        JsonObject cases => string.Join(" ", cases.Select(pair => $"{pair.Key} {pair.Value}")),
        JsonNode value when value.GetValueKind() == JsonValueKind.Number =>
            value.GetValue<double>().ToString(
                Math.Abs(value.GetValue<double>()) >= 1_000 ? "N0" : "0.####", CultureInfo.InvariantCulture),
        JsonNode value => value.ToString(),
    };
}
