// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace Muster.Worker.Links;

/// <summary>What the Register's welcome says. Immutable.</summary>
/// <param name="WorkerId">Names this registration.</param>
/// <param name="CellId">The cell.</param>
/// <param name="LeaseMs">Silence longer than this, and the worker is given up.</param>
/// <param name="IntervalMs">How often to beat; 0: unchanged.</param>
/// <param name="SchedulerAddresses">Where the Scheduler listens, best first.</param>
/// <param name="IsFenced">The worker was lost before.</param>
/// <param name="Epoch">The epoch of the cell's arena.</param>
internal sealed record Registration(
    ulong WorkerId,
    ulong CellId,
    uint LeaseMs,
    uint IntervalMs,
    IReadOnlyList<string> SchedulerAddresses,
    bool IsFenced,
    uint Epoch);
