// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// Ends of a list of slots that is threaded through <see cref="SlotIndex"/>. Slot index plus one; 0: empty.
/// </summary>
internal struct SlotList
{
    public uint Head;
    public uint Tail;
    public uint Count;
}
