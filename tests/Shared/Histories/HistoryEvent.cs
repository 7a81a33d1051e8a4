// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;

namespace Muster.Shared.Histories;

/// <summary>
/// One line of a history. Written as words between blanks: time in microseconds of the host's monotonic clock, actor,
/// op, task, key, attempt, level, outcome, hash of the value, ref, executions; "-" where there is nothing to say.
/// </summary>
internal readonly record struct HistoryEvent
{
    private const int Words = 11;

    public required long TimeUs { get; init; }

    /// <summary>Who saw it; without blanks.</summary>
    public required string Actor { get; init; }

    public required HistoryOp Op { get; init; }

    /// <summary>The task's id; 0 where it is not known.</summary>
    public ulong Task { get; init; }

    /// <summary>The submitter's own number of the task; never used twice by one actor.</summary>
    public required long Key { get; init; }

    /// <summary>The attempt whose result this is; 0 elsewhere.</summary>
    public uint Attempt { get; init; }

    /// <summary>The durability asked for: memory, relaxed, durable.</summary>
    public string Level { get; init; }

    /// <summary>ok, unknown, refused, or what the task ended as.</summary>
    public required string Outcome { get; init; }

    /// <summary>Hash of the result's bytes; 0 elsewhere.</summary>
    public ulong Value { get; init; }

    /// <summary>The session's number of the task.</summary>
    public ulong Ref { get; init; }

    /// <summary>How often the task was started; 0 elsewhere.</summary>
    public uint Executions { get; init; }

    public static HistoryEvent Parse(string line)
    {
        var words = line.Split(' ');
        if (words.Length != Words)
        {
            throw new FormatException($"not a line of a history: '{line}'");
        }

        return new()
        {
            TimeUs = long.Parse(words[0], CultureInfo.InvariantCulture),
            Actor = words[1],
            Op = Enum.Parse<HistoryOp>(words[2]),
            Task = Number(words[3], NumberStyles.AllowHexSpecifier),
            Key = long.Parse(words[4], CultureInfo.InvariantCulture),
            Attempt = (uint)Number(words[5], NumberStyles.None),
            Level = words[6],
            Outcome = words[7],
            Value = Number(words[8], NumberStyles.AllowHexSpecifier),
            Ref = Number(words[9], NumberStyles.None),
            Executions = (uint)Number(words[10], NumberStyles.None),
        };
    }

    /// <summary>False for a line that was cut short.</summary>
    public static bool TryParse(string line, out HistoryEvent happened)
    {
        happened = default;
        if (line.Split(' ').Length != Words)
        {
            return false;
        }

        try
        {
            happened = Parse(line);
            return true;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{TimeUs} {Actor} {Op} {Hex(Task)} {Key} {Decimal(Attempt)} {Level ?? "-"} {Outcome} {Hex(Value)} "
        + $"{Decimal(Ref)} {Decimal(Executions)}");

    private static ulong Number(string word, NumberStyles style) =>
        word == "-" ? 0 : ulong.Parse(word, style, CultureInfo.InvariantCulture);

    private static string Hex(ulong value) => value == 0 ? "-" : value.ToString("x16", CultureInfo.InvariantCulture);

    private static string Decimal(ulong value) => value == 0 ? "-" : value.ToString(CultureInfo.InvariantCulture);
}
