// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Locks;

/// <summary>
/// A robust, timed mutex in the arena that works across processes. A holder that died is noticed at once and the next
/// holder repairs; a holder that does not let go within 20 ms is killed (never this process itself) and then counts as dead. Never hold it
/// over user code, an allocation or an await.
/// </summary>
internal sealed class ArenaLock
{
    /// <summary>Takes the lock. The scope says whether the state under the lock may be half changed.</summary>
    public Scope Enter() => throw new NotImplementedException();

    /// <summary>Holds the lock until disposed.</summary>
    internal readonly ref struct Scope
    {
        /// <summary>The holder before died, or was killed, inside: repair before use, then <see cref="MarkRepaired"/>.</summary>
        public bool NeedsRepair => throw new NotImplementedException();

        /// <summary>Tells waiters that a long repair goes on, so that they do not kill its holder. Call every few ms.</summary>
        public void RepairGoesOn() => throw new NotImplementedException();

        public void MarkRepaired() => throw new NotImplementedException();

        public void Dispose() => throw new NotImplementedException();
    }
}
