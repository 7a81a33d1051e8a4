// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;

namespace Muster.Simulation.Actors;

/// <summary>A handler by name alone: the simulated worker runs its attempts itself, as events.</summary>
internal sealed class SimHandler(string name) : HandlerEntry(name, HandlerPlace.ThreadPool)
{
    public static readonly SimHandler First = new("first");
    public static readonly SimHandler Second = new("second");

    public override AttemptEnd? Run(HeldAttempt attempt, Executor executor) =>
        throw new UnreachableException("the simulation has no executor");
}
