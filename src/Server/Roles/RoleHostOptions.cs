// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Arena;

namespace Muster.Server.Roles;

/// <summary>What the host of any role needs to know.</summary>
internal record RoleHostOptions
{
    /// <summary>The cell's arena, attached for writing. It outlives the host.</summary>
    public required ArenaMap Arena { get; init; }

    /// <summary>
    /// Where the role is reached, best first, joined by commas; kept in the arena for others to find.
    /// </summary>
    public required string Addresses { get; init; }

    /// <summary>The cell's name, for people. Default "default".</summary>
    public string Cell { get; init; } = "default";

    /// <summary>
    /// Told once when the role has stopped because of a bug of ours or because its arena is gone. A process of its own
    /// prints the text and exits with 70; an embedded cell shows it to its user. Called on any thread, outside turns.
    /// </summary>
    public Action<Exception>? Failed { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
