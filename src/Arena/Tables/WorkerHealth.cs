// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Tables;

/// <summary>What the Register thinks of a worker.</summary>
internal enum WorkerHealth : uint
{
    /// <summary>The row holds no worker.</summary>
    Free = 0,
    Alive = 1,

    /// <summary>Late, or its stream is cut: no new work, nothing re-run.</summary>
    Suspect = 2,

    /// <summary>Given up and fenced: its attempts go to others.</summary>
    Lost = 3,
    Draining = 4,

    /// <summary>Said goodbye or its process is dead.</summary>
    Gone = 5,
}
