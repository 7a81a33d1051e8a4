// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;
using Muster.Checking;
using Muster.Simulation.Faults;

namespace Muster.Simulation;

/// <summary>What came of a seed.</summary>
/// <param name="Seed">Which.</param>
/// <param name="TraceHash">The same whenever the seed is run.</param>
/// <param name="Faults">What went wrong in it.</param>
/// <param name="Violations">What was violated; empty when all is well.</param>
/// <param name="LastLines">The end of the trace, when something was.</param>
/// <param name="Events">How much happened.</param>
/// <param name="TimeUs">How long it took in its own time.</param>
internal sealed record SeedReport(
    ulong Seed,
    ulong TraceHash,
    FaultKind Faults,
    IReadOnlyList<Violation> Violations,
    IReadOnlyList<string> LastLines,
    long Events,
    long TimeUs)
{
    private const int LinesShown = 60;

    public bool IsClean => Violations.Count == 0;

    /// <summary>Runs a seed.</summary>
    /// <param name="seed">Which.</param>
    /// <param name="focus">Faults that it has beside those it would draw.</param>
    public static SeedReport Of(ulong seed, FaultKind focus = FaultKind.None)
    {
        using var run = new SeedRun(seed, print: null, focus);
        var violations = run.Run();
        return new(
            seed,
            run.World.Trace.Hash,
            run.Plan.Faults,
            violations,
            violations.Count == 0 ? [] : [.. run.World.Trace.Last(LinesShown)],
            run.World.EventsRun,
            run.World.NowUs);
    }

    /// <summary>For a failed test: what broke, how to see it again, and how it ended.</summary>
    public string Describe()
    {
        var text = new StringBuilder();
        text.AppendLine(null, $"seed {Seed} ({Faults}); replay: make sim SEED={Seed}");
        foreach (var violation in Violations)
        {
            text.AppendLine(violation.ToString());
        }

        text.AppendLine("the trace ends so:").AppendJoin('\n', LastLines);
        return text.ToString();
    }
}
