// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>What a worker says of itself in its first message. Nothing in it is trusted.</summary>
internal sealed record RegistrationFacts
{
    public uint WireVersion { get; init; }

    /// <summary>0 at the first hello of a process; later what the Register gave it.</summary>
    public ulong WorkerId { get; init; }

    /// <summary>Random, fixed for the life of the process.</summary>
    public ulong Nonce { get; init; }

    /// <summary>The cell that gave it <see cref="WorkerId"/>, and its epoch then; 0: not said.</summary>
    public ulong CellId { get; init; }

    public uint Epoch { get; init; }

    /// <summary>What it holds.</summary>
    public IReadOnlyList<AttemptKey> InHand { get; init; } = [];

    /// <summary>Number of the identity that the stream was opened by; the one thing here that was proved.</summary>
    public uint Owner { get; init; }

    public string Name { get; init; } = "";

    public uint Slots { get; init; }

    public IReadOnlyList<string> Handlers { get; init; } = [];

    public string Host { get; init; } = "";

    public uint Pid { get; init; }

    public ulong PidStart { get; init; }

    public string Version { get; init; } = "";

    /// <summary>It has this host's boot id and process id name space, so its process can be watched.</summary>
    public bool IsOnThisHost { get; init; }
}
