// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Muster.Load.Detection;
using Muster.Load.Fleet;

namespace Muster.Load.Suite;

/// <summary>One of the workloads that have figures. Immutable.</summary>
/// <param name="Name">W and a number.</param>
/// <param name="Levels">The levels of durability that the suite runs it with.</param>
/// <param name="Run">Prints what it does, its figures as the last line; false: something was wrong.</param>
/// <param name="NeedsRoot">It makes name spaces and cuts networks.</param>
internal sealed record Workload(
    string Name, IReadOnlyList<string> Levels, Func<LoadOptions, Task<bool>> Run, bool NeedsRoot = false)
{
    private const string Memory = "memory";
    private const string Durable = "durable";

    /// <summary>In the order in which the suite runs them.</summary>
    public static IReadOnlyList<Workload> All { get; } =
    [
        new("W1", [Memory, Durable], Passing(Throughput.RunAsync)),
        new("W2", [Memory, Durable], Passing(Latency.RunAsync)),
        new("W3", [Memory, Durable], Passing(OpenLoop.RunAsync)),
        new("W4", [Memory, Durable], Passing(Backlog.RunAsync)),
        new("W5", [Memory], Passing(Commands.RunAsync)),
        new("W7", [Memory], Passing(FleetCosts.RunAsync)),
        new("W8", [Durable], Passing(Recovery.RunAsync)),
        new("W9", [Memory], Detect.RunAsync, NeedsRoot: true),
        new("W11", [Memory, Durable], Passing(ColdStart.RunAsync)),
    ];

    public static Workload? Find(string name) => All.FirstOrDefault(workload => workload.Name == name);

    private static Func<LoadOptions, Task<bool>> Passing(Func<LoadOptions, Task> run) => async options =>
    {
        await run(options);
        return true;
    };
}
