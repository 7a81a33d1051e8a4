// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Security;

namespace Muster.Simulator.Reports;

/// <summary>A picture of a run: time to the right, one line per slot, one colour per class.</summary>
internal static class GanttSvg
{
    /// <summary>More than this no browser shows.</summary>
    public const int TasksMax = 100_000;

    private const int Width = 1_600;
    private const int SlotLinesMax = 2_000;

    public static void Write(SimulationResult result, TextWriter writer)
    {
        var lines = new SlotLines(result);
        var height = Math.Clamp(1_200.0 / Math.Max(lines.Count, 1), 2, 24);
        var scale = Width / (double)Math.Max(result.MakespanUs, 1);
        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{Width}\" height=\"{(lines.Count * height) + 24:F0}\" "
            + $"font-family=\"sans-serif\" font-size=\"12\">"));
        writer.WriteLine(
            $"<title>{Escape(result.Workload.Name)}, {Escape(result.Options.Policy)}, "
            + string.Create(CultureInfo.InvariantCulture, $"{result.MakespanUs / 1e6:F3} s</title>"));
        foreach (var task in result.Order)
        {
            var left = result.StartUs[task] * scale;
            var width = Math.Max(0.5, (result.EndUs[task] - result.StartUs[task]) * scale);
            var handler = result.Workload.Handler[task];
            foreach (var line in lines.Of(task))
            {
                writer.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"<rect x=\"{left:F2}\" y=\"{line * height:F1}\" width=\"{width:F2}\" height=\"{height * 0.9:F1}\" "
                    + $"fill=\"hsl({handler * 137 % 360},60%,60%)\"><title>{Escape(Name(result.Workload, task))}: "
                    + $"{result.StartUs[task] / 1e6:F3} to {result.EndUs[task] / 1e6:F3} s</title></rect>"));
            }
        }

        writer.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"<text x=\"4\" y=\"{(lines.Count * height) + 16:F0}\">{result.MakespanUs / 1e6:F3} s</text></svg>"));
    }

    private static string Name(Workload workload, int task) => workload.TaskNames?[task]
        ?? $"{workload.HandlerNames[workload.Handler[task]]} #{task.ToString(CultureInfo.InvariantCulture)}";

    private static string Escape(string text) => SecurityElement.Escape(text);

    /// <summary>Which lines a task takes: the first free ones of its worker.</summary>
    private sealed class SlotLines
    {
        private readonly int[][] _linesOf;

        public SlotLines(SimulationResult result)
        {
            var workers = result.Options.Workers;
            var first = new int[workers.Count + 1];
            for (var worker = 0; worker < workers.Count; worker++)
            {
                first[worker + 1] = first[worker] + workers[worker].Has.Slots;
            }

            Count = Math.Min(first[^1], SlotLinesMax);
            _linesOf = new int[result.Workload.Count][];
            var freeAt = new long[first[^1]];
            var order = new int[result.Workload.Count];
            for (var task = 0; task < order.Length; task++)
            {
                order[task] = task;
            }

            Array.Sort((long[])result.StartUs.Clone(), order);
            foreach (var task in order)
            {
                // A gang is drawn from its first worker on.
                var wanted = (int)Math.Min(result.Workload.SlotsOf(task), first[^1]);
                var lines = new int[wanted];
                var found = 0;
                for (var line = first[result.Worker[task]]; line < freeAt.Length && found < wanted; line++)
                {
                    if (freeAt[line] <= result.StartUs[task])
                    {
                        freeAt[line] = result.EndUs[task];
                        lines[found++] = line;
                    }
                }

                _linesOf[task] = Array.FindAll(lines[..found], line => line < SlotLinesMax);
            }
        }

        public int Count { get; }

        public int[] Of(int task) => _linesOf[task];
    }
}
