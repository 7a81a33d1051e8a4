// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler;

/// <summary>Why the tasks of a handler are not placed at this moment.</summary>
internal enum PlacementReason : byte
{
    /// <summary>They would be: a worker has room.</summary>
    None = 0,

    /// <summary>No worker that is known offers the handler.</summary>
    NoWorkerOffers = 1,

    /// <summary>Workers offer it, but each is late, drains or has no Dispatch stream.</summary>
    WorkersNotConnected = 2,

    /// <summary>Workers offer it, and all are full.</summary>
    WorkersBusy = 3,
}
