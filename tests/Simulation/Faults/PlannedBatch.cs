// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Checking;
using Muster.Client.Sessions;

namespace Muster.Simulation.Faults;

/// <summary>Tasks with the same options, submitted together at a moment.</summary>
internal sealed record PlannedBatch(
    long AtUs, HistoryLevel Level, EncodedTaskOptions Options, IReadOnlyList<PlannedTask> Items);
