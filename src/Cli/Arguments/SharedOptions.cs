// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Linq;
using System.Net;
using System.Text;
using Muster.Client;
using Muster.Core;

namespace Muster.Cli.Arguments;

/// <summary>Options that several verbs share, each made anew because an option belongs to one command.</summary>
internal static class SharedOptions
{
    public const string Json = "json";

    public static Option<string> Cell()
    {
        var option = new Option<string>("--cell")
        {
            Description = "Name of the cell on this host",
            HelpName = "NAME",
            DefaultValueFactory = _ => CellAddress.DefaultCell,
        };
        option.Validators.Add(result =>
        {
            var name = result.GetValueOrDefault<string>() ?? "";
            if (name.Length is < 1 or > 32 || !name.All(letter => char.IsAsciiLetterLower(letter)
                || char.IsAsciiDigit(letter) || letter == '-'))
            {
                result.AddError("--cell has 1 to 32 characters of a-z, 0-9 and '-'");
            }
        });
        return option;
    }

    public static Option<string?> Address() => new("--address")
    {
        Description = "The cell's Register: unix:/path or https://HOST:PORT; else MUSTER_ADDRESS, the login, or --cell",
        HelpName = "ADDRESS",
    };

    public static Option<string> Format()
    {
        var option = new Option<string>("--output", "-o")
        {
            Description = "How to print: text for people, json for programs",
            HelpName = "text|json",
            DefaultValueFactory = _ => "text",
        };
        option.AcceptOnlyFromAmong("text", Json);
        return option;
    }

    public static Option<int> Slots()
    {
        var option = new Option<int>("--slots", "-j")
        {
            Description = "Tasks that run at once",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        option.Validators.Add(result => CheckSlots(result, result.GetValueOrDefault<int>()));
        return option;
    }

    public static Option<int?> SlotsOrCell()
    {
        var option = new Option<int?>("--slots", "-j")
        {
            Description = "Commands that run at once [default: the cores here; with a cell, all its workers' slots]",
            HelpName = "N",
        };
        option.Validators.Add(result => CheckSlots(result, result.GetValueOrDefault<int?>() ?? 1));
        return option;
    }

    public static Option<int> Priority() => new("--priority")
    {
        Description = "0 (last) to 7 (first)",
        HelpName = "N",
        DefaultValueFactory = _ => TaskLimits.PriorityDefault,
    };

    public static Option<TimeSpan?> Timeout() =>
        Duration("--timeout", "Stop an attempt that runs longer: 500ms, 30s, 5m, 2h");

    /// <summary>A time with its unit.</summary>
    public static Option<TimeSpan?> Duration(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (TryParseDuration(result.Tokens[0].Value, out var duration))
            {
                return duration;
            }

            result.AddError($"{name} is a number with a unit, for example 500ms, 30s, 5m or 2h");
            return null;
        },
    };

    public static Option<int> Retries()
    {
        var option = new Option<int>("--retries")
        {
            Description = "Further attempts after one that failed; 0 also means that a lost worker fails its task",
            HelpName = "N",
            DefaultValueFactory = _ => TaskLimits.AttemptsMaxDefault - 1,
        };
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<int>() is < 0 or >= TaskLimits.AttemptsMaxMax)
            {
                result.AddError($"--retries is 0 to {TaskLimits.AttemptsMaxMax - 1}");
            }
        });
        return option;
    }

    /// <summary>What accepted tasks survive.</summary>
    public static Option<Durability> Durability(string description)
    {
        var option = new Option<Durability>("--durability")
        {
            Description = description,
            HelpName = "memory|relaxed|durable",
            CustomParser = result => result.Tokens[0].Value switch
            {
                "memory" => Muster.Durability.Memory,
                "relaxed" => Muster.Durability.Relaxed,
                "durable" => Muster.Durability.Durable,
                _ => Refuse(result),
            },
        };
        option.CompletionSources.Add("memory", "relaxed", "durable");
        return option;

        static Durability Refuse(System.CommandLine.Parsing.ArgumentResult result)
        {
            result.AddError("--durability is memory (survives the death of processes), relaxed (and power loss, but "
                + "for the last 10 ms) or durable (power loss at any instant)");
            return Muster.Durability.CellDefault;
        }
    }

    public static Option<string?> Bind() => new("--bind")
    {
        Description = "Also listen on an address; on one that is not loopback only with --tls",
        HelpName = "ADDRESS:PORT",
    };

    public static Option<long?> TasksMax() => new("--tasks-max")
    {
        Description = "Tasks that exist at once, when the arena is made: 1024 to 134217728 [default: 262144]",
        HelpName = "N",
    };

    public static Option<long?> KeysMax() => new("--keys-max")
    {
        Description = "Idempotency keys remembered at once, when the arena is made: 16 to 16777216 [default: 65536]",
        HelpName = "N",
    };

    public static Option<long?> WorkersMax() => new("--workers-max")
    {
        Description = "Workers known at once, when the arena is made: 16 to 65535 [default: 1024]",
        HelpName = "N",
    };

    public static Option<string?> PayloadBytesMax() => new("--payload-bytes-max")
    {
        Description = "Payload bytes and result bytes each, when the arena is made: 64M, 2G [default: 128M]",
        HelpName = "BYTES",
    };

    public static Option<string?> MemoryMax() => new("--memory-max")
    {
        Description = "Memory of the whole cell, arena and roles, when the arena is made: 512M, 3G. What does not fit "
            + "waits on disk [default: a quarter of the machine's, and of that what the other options ask for]",
        HelpName = "BYTES",
    };

    public static Option<long?> SpilledMax() => new("--spilled-max")
    {
        Description = "Tasks that may wait on disk, when the arena is made: 0 (refuse what does not fit) to 134217728 "
            + "[default: 67108864]",
        HelpName = "N",
    };

    /// <summary>Loopback only: anything else needs encryption and identities that do not exist yet.</summary>
    public static IPEndPoint ParseBind(string text)
    {
        if (!IPEndPoint.TryParse(text.Replace("localhost:", "127.0.0.1:", StringComparison.Ordinal), out var endpoint)
            || !text.Contains(':', StringComparison.Ordinal))
        {
            throw new UsageException($"--bind '{text}' is not ADDRESS:PORT");
        }

        return endpoint;
    }

    /// <summary>A size with an optional K, M, G or T of 1,024.</summary>
    public static long ParseBytes(string option, string text)
    {
        var digits = text.TrimEnd('B', 'b', 'i', 'K', 'k', 'M', 'm', 'G', 'g', 'T', 't');
        var shift = text[digits.Length..].ToUpperInvariant() switch
        {
            "" => 0,
            "K" or "KB" or "KIB" => 10,
            "M" or "MB" or "MIB" => 20,
            "G" or "GB" or "GIB" => 30,
            "T" or "TB" or "TIB" => 40,
            _ => -1,
        };
        return shift >= 0
            && long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= long.MaxValue >> shift
            ? number << shift
            : throw new UsageException($"{option} '{text}' is not a size such as 1048576, 64M or 2G");
    }

    /// <summary>The size as <see cref="ParseBytes"/> takes it, in the largest unit that needs no fraction.</summary>
    public static string FormatBytes(long bytes) => bytes switch
    {
        >= 1L << 40 when bytes % (1L << 40) == 0 => $"{bytes >> 40}T",
        >= 1L << 30 when bytes % (1L << 30) == 0 => $"{bytes >> 30}G",
        >= 1L << 20 when bytes % (1L << 20) == 0 => $"{bytes >> 20}M",
        _ => bytes.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>A positive number with a unit: ms, s, m or h; seconds without one.</summary>
    public static bool TryParseDuration(string text, out TimeSpan duration)
    {
        duration = default;
        var unit = new StringBuilder();
        var end = text.Length;
        while (end > 0 && char.IsAsciiLetter(text[end - 1]))
        {
            unit.Insert(0, text[--end]);
        }

        double scale = unit.ToString() switch
        {
            "ms" => 1,
            "" or "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => 0,
        };
        if (scale == 0
            || !double.TryParse(text.AsSpan(0, end), NumberStyles.AllowDecimalPoint, null, out var n)
            || n <= 0
            || n * scale > TaskLimits.DurationMsMax)
        {
            return false;
        }

        duration = TimeSpan.FromMilliseconds(n * scale);
        return true;
    }

    private static void CheckSlots(OptionResult result, int slots)
    {
        if (result.Tokens.Count > 0 && slots is < 1 or > TaskLimits.WorkerSlotsMax)
        {
            result.AddError($"--slots is 1 to {TaskLimits.WorkerSlotsMax}");
        }
    }
}
