// SPDX-License-Identifier: Apache-2.0
using System;


namespace Muster.Shared.Histories;

/// <summary>What a <see cref="SessionClient"/> submits.</summary>
internal sealed record SessionClientOptions
{
    /// <summary>The cell's front door.</summary>
    public required string Address { get; init; }

    /// <summary>Its name in the history.</summary>
    public required string Actor { get; init; }

    public Durability Durability { get; init; } = Durability.Memory;

    /// <summary>Tasks submitted and without a result, at most.</summary>
    public int InFlightMax { get; init; } = 500;

    /// <summary>
    /// 0: as many tasks as <see cref="InFlightMax"/> allows, held back as refusals ask for. Else so many each second,
    /// whatever comes back and whatever is asked for; what the connection does not take in time is not sent.
    /// </summary>
    public int PerSecond { get; init; }

    /// <summary>Tasks of one batch, at most.</summary>
    public int BatchMax { get; init; } = 64;

    /// <summary>Each task waits 0 to this long, by its number.</summary>
    public int WaitMsMax { get; init; } = 4;

    /// <summary>Each so-many-th task fails in its first execution; 0: none does.</summary>
    public int FailEvery { get; init; }

    public int PayloadBytes { get; init; } = TraceTask.PayloadBytes;

    /// <summary>Ends by itself after so many tasks.</summary>
    public long TasksMax { get; init; } = long.MaxValue;

    /// <summary>How long the answer to an open stream may take before it is made anew.</summary>
    public TimeSpan WelcomeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public string Level => Durability switch
    {
        Durability.Durable => "durable",
        Durability.Relaxed => "relaxed",
        _ => "memory",
    };
}
