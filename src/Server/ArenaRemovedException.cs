// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Server;

/// <summary>
/// Somebody removed the arena under a living role: the others find it no more, so the role has to stop. An operator's
/// act, not a fault of ours.
/// </summary>
internal sealed class ArenaRemovedException(string cell, string role)
    : Exception($"the arena of cell {cell} was removed under the running {role}; start all roles of the cell again");
