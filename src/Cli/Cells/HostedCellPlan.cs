// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Net;
using Muster.Core;
using Muster.Server.Endpoint.Access;

namespace Muster.Cli.Cells;

/// <summary>Which roles of which cell this process is to run.</summary>
internal sealed record HostedCellPlan
{
    public required string Cell { get; init; }

    public required IReadOnlyList<Role> Roles { get; init; }

    /// <summary>An endpoint to listen on beside the Unix socket; null: none.</summary>
    public IPEndPoint? Bind { get; init; }

    /// <summary>It speaks TLS.</summary>
    public bool Tls { get; init; }

    /// <summary>What is asked of who connects there; null: as the endpoint needs.</summary>
    public AuthMode? Auth { get; init; }

    /// <summary>By which host others reach it; null: as they came.</summary>
    public string? Advertise { get; init; }

    /// <summary>Tasks that a new arena holds; null: the default.</summary>
    public uint? TasksMax { get; init; }

    /// <summary>Idempotency keys that a new arena holds; null: the default, or as many as tasks if they are fewer.
    /// </summary>
    public uint? KeysMax { get; init; }

    /// <summary>Workers that a new arena has rows for; null: the default.</summary>
    public uint? WorkersMax { get; init; }

    /// <summary>Payload bytes and result bytes each that a new arena holds; null: the default.</summary>
    public long? PayloadBytesMax { get; init; }

    /// <summary>Tasks that may wait on disk; null: the default.</summary>
    public uint? SpilledMax { get; init; }

    /// <summary>Memory of arena and roles together; null: a quarter of the machine's, for the defaults.</summary>
    public long? MemoryMax { get; init; }

    /// <summary>The level of tasks that name none; the default: durable.</summary>
    public Durability Durability { get; init; }

    /// <summary>A task that so many workers died of is quarantined.</summary>
    public int CrashesMax { get; init; } = 3;

    /// <summary>The cell ends with this process, and its files with it; it keeps no state.</summary>
    public bool IsEmbedded { get; init; }
}
