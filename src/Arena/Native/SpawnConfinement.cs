// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>What every program that a worker starts is held to. Immutable, shared by all threads.</summary>
internal sealed record SpawnConfinement
{
    /// <summary>No program that it starts gains anything by a setuid bit or file capabilities.</summary>
    public bool HasNoNewPrivileges { get; init; }

    /// <summary>The capabilities that are taken from its bounding set: 0 to this number; -1: none.</summary>
    public int LastCapability { get; init; } = -1;

    /// <summary>Whom it runs as; null: as this process.</summary>
    public UserIdentity? User { get; init; }

    public SpawnLimit[] Limits { get; init; } = [];

    /// <summary>-1: that of this process.</summary>
    public int Umask { get; init; } = -1;

    /// <summary>
    /// It is killed when the thread that started it ends, and so when this process does. Threads that start programs
    /// therefore live as long as these.
    /// </summary>
    public bool DiesWithParent { get; init; } = true;
}
