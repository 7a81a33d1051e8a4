// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using Muster.Scheduler.Decisions;

namespace Muster.Simulator.Formats;

/// <summary>
/// Invocations of functions as CSV with the columns app, func, end_timestamp and duration in seconds. The class is the
/// function, the user the app.
/// </summary>
internal static class InvocationReader
{
    public const string Header = "app,func,end_timestamp,duration";

    public static Workload Read(string file, string name, TextReader reader)
    {
        var builder = new WorkloadBuilder();
        reader.ReadLine();
        for (var line = 2L; reader.ReadLine() is { } text; line++)
        {
            if (text.Length == 0)
            {
                continue;
            }

            var words = text.Split(',');
            if (words.Length != 4)
            {
                throw new WorkloadFormatException(file, line, "duration", $"{words.Length} columns, not 4");
            }

            var end = Number(file, line, "end_timestamp", words[2]);
            var seconds = Number(file, line, "duration", words[3]);
            var task = builder.Add(
                words[1], Math.Max(1, (long)(seconds * 1e6)), new Resources(1),
                (long)(Math.Max(0, end - seconds) * 1e6));
            builder.SetUser(task, words[0]);
        }

        return builder.Count == 0
            ? throw new WorkloadFormatException(file, 2, "app", "there is no invocation")
            : builder.TryBuild(name, boundUs: 10_000, [], out _)!;
    }

    private static double Number(string file, long line, string field, string word) =>
        double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            && value is >= 0 and <= 1e9
            ? value
            : throw new WorkloadFormatException(file, line, field, $"'{word}' is no time in seconds");
}
