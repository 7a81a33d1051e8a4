// SPDX-License-Identifier: Apache-2.0
using Muster.Arena;

namespace Muster.Server;

/// <summary>
/// What names a cell to clients and workers: its journal, which outlives arenas; without one the arena.
/// </summary>
internal static class CellIdentity
{
    public static ulong Of(ArenaMap arena) =>
        arena.Counter(CellCounter.JournalLineage) is var lineage and not 0 ? lineage : arena.CellId;
}
