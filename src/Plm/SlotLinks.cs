// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>The PLM's local words about one slot. All hold an index plus one; 0 means none.</summary>
internal struct SlotLinks
{
    /// <summary>
    /// Neighbours in the one list that the slot is in: free, a session's running or ended tasks, or releasing.
    /// </summary>
    public uint Next;
    public uint Previous;

    /// <summary>First awaiter.</summary>
    public uint Awaiter;

    /// <summary>Row of the task's idempotency key.</summary>
    public uint Key;

    /// <summary>Its result waits for a journal that is far behind.</summary>
    public bool IsUnjudged;
}
