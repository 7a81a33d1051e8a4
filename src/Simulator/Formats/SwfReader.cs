// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator.Formats;

/// <summary>
/// Job logs in the Standard Workload Format: 18 or more columns, ';' before comments. Jobs without a run time or
/// processors are left out, as is usual. A job takes its processors as slots wherever they are; its class is its user.
/// </summary>
internal static class SwfReader
{
    private const int ColumnsLeast = 5;
    private const double SecondsMax = 1e12;
    private const int ProcessorsMax = 1 << 24;

    private static readonly string[] s_columns =
    [
        "job number", "submit time", "wait time", "run time", "allocated processors", "average CPU time",
        "used memory", "requested processors", "requested time", "requested memory", "status", "user",
    ];

    public static Workload Read(string file, string name, TextReader reader, IReadOnlyList<WorkerShape> machines)
    {
        var builder = new WorkloadBuilder();
        var processors = 0;
        var jobs = 0L;
        Span<double> columns = stackalloc double[s_columns.Length];
        for (var line = 1L; reader.ReadLine() is { } text; line++)
        {
            var trimmed = text.AsSpan().Trim();
            if (trimmed.Length == 0)
            {
                continue;
            }

            if (trimmed[0] == ';')
            {
                processors = Header(trimmed, processors);
                continue;
            }

            jobs++;
            Split(file, line, trimmed, columns);
            Add(file, line, columns, builder);
        }

        if (builder.Count == 0)
        {
            throw new WorkloadFormatException(
                file, 1, "run time", jobs == 0 ? "there is no job" : "no job has a run time and processors");
        }

        machines = machines.Count > 0 || processors == 0 ? machines : [new(new Resources(processors))];
        return builder.TryBuild(name, boundUs: 10_000_000, machines, out _)!;
    }

    /// <summary>
    /// Lines of number, name, nodes and cores per node: what a log was made on. Jobs span nodes, so it is one pool.
    /// </summary>
    public static IReadOnlyList<WorkerShape> ReadMachines(string file, TextReader reader)
    {
        var slots = 0;
        for (var line = 1L; reader.ReadLine() is { } text; line++)
        {
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0)
            {
                continue;
            }

            if (words.Length < 4)
            {
                throw new WorkloadFormatException(file, line, "cores", "a line has at least 4 columns");
            }

            var nodes = (int)Number(file, line, "nodes", words[2], 1, 1 << 15);
            var cores = (int)Number(file, line, "cores", words[3], 1, 1 << 12);
            slots += nodes * cores;
        }

        return slots > 0 ? [new(new Resources(slots))] : [];
    }

    private static void Add(string file, long line, ReadOnlySpan<double> columns, WorkloadBuilder builder)
    {
        var seconds = columns[3];
        var slots = columns[4] > 0 ? columns[4] : columns[7];
        if (seconds <= 0 || slots <= 0)
        {
            return;
        }

        Check(file, line, 1, columns[1], SecondsMax);
        Check(file, line, 3, seconds, SecondsMax);
        Check(file, line, columns[4] > 0 ? 4 : 7, slots, ProcessorsMax);
        var user = columns[11].ToString(CultureInfo.InvariantCulture);
        var task = builder.Add(
            "user " + user, (long)(seconds * 1e6), new Resources((int)slots), (long)(columns[1] * 1e6));
        builder.SetUser(task, user);
        if (columns[8] > 0)
        {
            builder.SetLimit(task, (long)(Math.Min(columns[8], SecondsMax) * 1e6));
        }
    }

    private static void Split(string file, long line, ReadOnlySpan<char> text, Span<double> columns)
    {
        columns.Fill(-1);
        var column = 0;
        foreach (var range in text.SplitAny(' ', '\t'))
        {
            var word = text[range];
            if (word.Length == 0)
            {
                continue;
            }

            if (column == columns.Length)
            {
                return;
            }

            columns[column] = Number(file, line, s_columns[column], word, double.MinValue, double.MaxValue);
            column++;
        }

        if (column < ColumnsLeast)
        {
            throw new WorkloadFormatException(
                file, line, s_columns[column], $"the line ends after {column} columns");
        }
    }

    private static void Check(string file, long line, int column, double value, double most)
    {
        if (value < 0 || value > most)
        {
            throw new WorkloadFormatException(
                file, line, s_columns[column], string.Create(
                    CultureInfo.InvariantCulture, $"{value} is not between 0 and {most}"));
        }
    }

    private static double Number(
        string file, long line, string field, ReadOnlySpan<char> word, double least, double most) =>
        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most
            ? value
            : throw new WorkloadFormatException(file, line, field, $"'{word}' is no number that it can be");

    private static int Header(ReadOnlySpan<char> comment, int processors)
    {
        // "; MaxProcs: 240": the log's own word for how many there were.
        const string Word = "MaxProcs:";
        var at = comment.IndexOf(Word, StringComparison.Ordinal);
        return at >= 0 && int.TryParse(
            comment[(at + Word.Length)..].Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count > 0
            ? count
            : processors;
    }
}
