// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace Muster.Load;

/// <summary>What the command line asks for; 0 means the workload's own default.</summary>
internal sealed record LoadOptions
{
    public required string Verb { get; init; }

    public string Durability { get; init; } = "memory";

    public Muster.Durability Level => Durability switch
    {
        "durable" => Muster.Durability.Durable,
        "relaxed" => Muster.Durability.Relaxed,
        _ => Muster.Durability.Memory,
    };

    /// <summary>Of the image for power cuts.</summary>
    public string FileSystem { get; init; } = "ext4";

    /// <summary>Where to keep the whole history; null: nowhere.</summary>
    public string? History { get; init; }

    public int Tasks { get; init; }

    /// <summary>Of W8: tasks that are queued while roles are killed.</summary>
    public int Queued { get; init; }

    public int Rounds { get; init; }

    /// <summary>Of W4: the cell's limit, as its option takes it; "": none, everything is kept in the arena.</summary>
    public string Memory { get; init; } = "";

    public int Seconds { get; init; } = 10;

    public int Workers { get; init; }

    /// <summary>Of W1.</summary>
    public int PayloadBytes { get; init; } = 100;

    /// <summary>Of W1: over TLS, with certificates of both sides, instead of the cell's own socket.</summary>
    public bool IsOverTls { get; init; }

    /// <summary>Of a worker: the file with its proof of identity; "": it needs none.</summary>
    public string Context { get; init; } = "";

    /// <summary>Of W3: the only rate.</summary>
    public int PerSecond { get; init; }

    /// <summary>Of corrupt.</summary>
    public int Journals { get; init; }

    /// <summary>Of corrupt: the first one.</summary>
    public int First { get; init; }

    /// <summary>Of journal: where it is measured.</summary>
    public string Folder { get; init; } = "";

    public int Seed { get; init; } = 1;

    /// <summary>Of a worker process that is told apart from others.</summary>
    public int Id { get; init; }

    /// <summary>How long false-loss runs.</summary>
    public int Minutes { get; init; }

    /// <summary>Of suite: the file that also gets the figures; "": none.</summary>
    public string Out { get; init; } = "";

    /// <summary>Of suite: which workloads, separated by commas; "": all.</summary>
    public string Only { get; init; } = "";

    /// <summary>Whether the command line names a level.</summary>
    public bool IsDurabilityGiven { get; init; }

    /// <summary>Of compare: the file with the figures to compare with, and the one with those to compare.</summary>
    public (string Before, string After) Files { get; init; } = ("", "");

    /// <summary>Slots of a worker process.</summary>
    public int Slots { get; init; } = 2;

    /// <summary>Of the cell, for a worker; of the socket, for a relay.</summary>
    public string Address { get; init; } = "";

    /// <summary>Null when the arguments make no sense; <paramref name="wrong"/> then says which.</summary>
    public static LoadOptions? Parse(string[] args, out string wrong)
    {
        wrong = "";
        if (args.Length == 0)
        {
            wrong = "which workload?";
            return null;
        }

        var options = new LoadOptions { Verb = args[0] };
        for (var at = 1; at < args.Length; at += 2)
        {
            var value = at + 1 < args.Length ? args[at + 1] : "";
            var isNumber = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number);
            options = args[at] switch
            {
                "--durability" when value is "memory" or "relaxed" or "durable" =>
                    options with { Durability = value, IsDurabilityGiven = true },
                "--fs" when value is "ext4" or "xfs" => options with { FileSystem = value },
                "--memory" => options with { Memory = value },
                "--history" => options with { History = value },
                "--out" => options with { Out = value },
                "--only" => options with { Only = value },
                "--a" => options with { Files = (value, options.Files.After) },
                "--b" => options with { Files = (options.Files.Before, value) },
                "--wire" when value is "mtls" or "own" => options with { IsOverTls = value == "mtls" },
                "--context" => options with { Context = value },
                "--address" => options with { Address = value },
                "--tasks" when isNumber => options with { Tasks = number },
                "--queued" when isNumber => options with { Queued = number },
                "--rounds" when isNumber => options with { Rounds = number },
                "--seconds" when isNumber => options with { Seconds = number },
                "--per-second" when isNumber => options with { PerSecond = number },
                "--payload" when isNumber => options with { PayloadBytes = number },
                "--workers" when isNumber => options with { Workers = number },
                "--slots" when isNumber => options with { Slots = number },
                "--folder" => options with { Folder = value },
                "--first" when isNumber => options with { First = number },
                "--journals" when isNumber => options with { Journals = number },
                "--id" when isNumber => options with { Id = number },
                "--minutes" when isNumber => options with { Minutes = number },
                "--seed" when isNumber => options with { Seed = number },
                _ => null,
            };
            if (options is null)
            {
                wrong = $"'{$"{args[at]} {value}".TrimEnd()}' is no option, or its value makes no sense";
                return null;
            }
        }

        return options;
    }
}
