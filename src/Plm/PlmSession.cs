// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Arena.Tables;

namespace Muster.Plm;

/// <summary>
/// A client's session as the core keeps it: an index over slots and one <see cref="ClientRow"/>, rebuilt from both on a
/// takeover. Made and changed by the core alone; a host only holds it to name the session.
/// </summary>
internal sealed class PlmSession(uint row, ulong clientId, ushort owner = 0)
{
    /// <summary>Row in the client table.</summary>
    public uint Row { get; } = row;

    public ulong ClientId { get; } = clientId;

    /// <summary>Number of the identity whose session it is.</summary>
    public ushort Owner { get; } = owner;

    /// <summary>The open stream; null while the client is away.</summary>
    public IResultStream? Stream { get; set; }

    /// <summary>Of the stream that was opened last; 0: its client numbers none.</summary>
    public ulong StreamNumber { get; set; }

    /// <summary>The row is free again; whoever still holds the session must not use it.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>The stream took fewer results than there were.</summary>
    public bool IsStalled { get; set; }

    /// <summary>In the core's list of sessions to look at before the turn ends.</summary>
    public bool IsDirty { get; set; }

    /// <summary>The highest ref that was accepted or refused.</summary>
    public ulong DecidedRef { get; set; }

    public uint UnconfirmedMax { get; set; }

    /// <summary>Results confirmed on the present stream.</summary>
    public ulong ConfirmedTotal { get; set; }

    /// <summary>Results handed to the present stream and not confirmed: the first so many of the ended tasks.</summary>
    public uint Unconfirmed { get; set; }

    /// <summary>The first ended task not handed to the present stream, plus one; 0: none.</summary>
    public uint NextUndelivered { get; set; }

    /// <summary>Monotonic time at which an absent client is forgotten.</summary>
    public long ForgetAtMs { get; set; }

    /// <summary>Tasks that have not ended. A field, because list operations take it by reference.</summary>
    public SlotList Live;

    /// <summary>Ended tasks in the order in which they ended, without those confirmed.</summary>
    public SlotList Ended;

    /// <summary>
    /// Tasks that a restore has brought back so far. They are in the lists only once it is over, and until then they
    /// keep the row from being given to another client.
    /// </summary>
    public uint Restored { get; set; }

    /// <summary>Tasks that wait on disk.</summary>
    public uint Spilled { get; private set; }

    /// <summary>Extents on disk that hold tasks of the session, with how many.</summary>
    public Dictionary<uint, uint> SpilledIn { get; } = [];

    /// <summary>Submitted and not confirmed.</summary>
    public uint Outstanding => Live.Count + Ended.Count + Spilled;

    /// <summary>Tasks of the session went to disk.</summary>
    public void NoteSpilled(uint extent, uint count)
    {
        SpilledIn[extent] = SpilledIn.GetValueOrDefault(extent) + count;
        Spilled += count;
    }

    /// <summary>An extent came back.</summary>
    public void ForgetSpilled(uint extent)
    {
        if (SpilledIn.Remove(extent, out var count))
        {
            Spilled -= count;
        }
    }
}
