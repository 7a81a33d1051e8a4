// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.Globalization;
using System.Linq;
using Muster.Cli.Arguments;
using Muster.Scheduler.Decisions;

namespace Muster.Cli.Verbs;

/// <summary>The options of muster simulate.</summary>
internal sealed class SimulateOptions
{
    private readonly Option<int?> _slots = new("--slots")
    {
        Description = "Slots in all; a worker each unless tasks are wider [default: those of the log]",
        HelpName = "N",
    };

    private readonly Option<string?> _workers = new("--workers")
    {
        Description = "Workers instead: 10000x1, or 16x8,4x64@256G with memory",
        HelpName = "COUNTxSLOTS[@MEMORY],...",
    };

    private readonly Option<string?> _speeds = new("--speeds")
    {
        Description = "Speeds that workers have in turn: 2,1,0.5",
        HelpName = "S,...",
    };

    private readonly Option<string> _policy = new("--policy")
    {
        Description = string.Join(", ", PolicyCatalog.Names),
        HelpName = "NAME",
        DefaultValueFactory = _ => PolicyCatalog.Default,
    };

    private readonly Option<string> _placement = new("--placement")
    {
        Description = "pack or spread",
        HelpName = "NAME",
        DefaultValueFactory = _ => "pack",
    };

    private readonly Option<bool> _given = new("--given")
    {
        Description = "Tell the policy how long tasks take; otherwise it learns",
    };

    private readonly Option<TimeSpan?> _rtt = SharedTime("--rtt", "From the end of a task to the start of the next");

    private readonly Option<bool> _copies = new("--copies") { Description = "Second copies of tasks that are late" };

    private readonly Option<double> _slow = new("--slow")
    {
        Description = "The part of all starts that take five times as long, 0 to 1",
        HelpName = "PART",
    };

    private readonly Option<int> _repeat = new("--repeat")
    {
        Description = "The workload so many times over, at once",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
    };

    private readonly Option<ulong> _seed = new("--seed")
    {
        Description = "For what is random; the same seed gives the same run",
        HelpName = "N",
        DefaultValueFactory = _ => 1UL,
    };

    private readonly Option<string?> _graph = new("--graph")
    {
        Description = "Only this graph of a file that holds several",
        HelpName = "NAME",
    };

    private readonly Option<string?> _gantt = new("--gantt")
    {
        Description = "Draw the run into this SVG file",
        HelpName = "FILE",
    };

    private readonly Option<string> _format = SharedOptions.Format();

    public void AddTo(Command verb)
    {
        _policy.AcceptOnlyFromAmong([.. PolicyCatalog.Names]);
        _placement.AcceptOnlyFromAmong("pack", "spread");
        foreach (var option in (Option[])[
            _slots, _workers, _speeds, _policy, _placement, _given, _rtt, _copies, _slow, _repeat, _seed, _graph,
            _gantt, _format])
        {
            verb.Add(option);
        }
    }

    public SimulatePlan Read(ParseResult result)
    {
        PolicyCatalog.TryPlacement(result.GetRequiredValue(_placement), out var placement);
        return new()
        {
            Slots = InRange(result.GetValue(_slots), "--slots", 1, 1 << 24),
            Workers = result.GetValue(_workers),
            Speeds = Speeds(result.GetValue(_speeds)),
            Policy = result.GetRequiredValue(_policy),
            Placement = placement,
            KnowsDurations = result.GetValue(_given),
            RoundTripUs = (long)(result.GetValue(_rtt) ?? TimeSpan.Zero).TotalMicroseconds,
            Copies = result.GetValue(_copies),
            SlowPart = result.GetValue(_slow) is var part and >= 0 and <= 1
                ? part
                : throw new UsageException("--slow is 0 to 1"),
            Repeat = InRange(result.GetValue(_repeat), "--repeat", 1, 100_000)!.Value,
            Seed = result.GetValue(_seed),
            Graph = result.GetValue(_graph),
            Gantt = result.GetValue(_gantt),
            IsJson = result.GetValue(_format) == SharedOptions.Json,
        };
    }

    private static int? InRange(int? value, string option, int least, int most) =>
        value is null || (value >= least && value <= most)
            ? value
            : throw new UsageException($"{option} is {least} to {most}");

    private static List<double> Speeds(string? text) =>
        [.. (text ?? "1").Split(',').Select(word =>
            double.TryParse(word, NumberStyles.Float, CultureInfo.InvariantCulture, out var speed)
                && speed is >= 0.001 and <= 1_000
                ? speed
                : throw new UsageException($"--speeds '{word}' is no number from 0.001 to 1000"))];

    private static Option<TimeSpan?> SharedTime(string name, string description) => new(name)
    {
        Description = description + ": 0.2ms, 1ms, 1s",
        HelpName = "TIME",
        CustomParser = result =>
        {
            if (SharedOptions.TryParseDuration(result.Tokens[0].Value, out var time))
            {
                return time;
            }

            result.AddError($"{name} is a number with a unit, for example 1ms or 0.2ms");
            return null;
        },
    };
}
