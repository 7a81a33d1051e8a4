// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// Lists of slots without an allocation per element: 24 local bytes for each slot that was ever used, grown with the
/// arena's high-water mark. A slot is in at most one list. Owned by the PLM's core, used inside turns only.
/// </summary>
internal sealed class SlotIndex
{
    private SlotLinks[] _links = new SlotLinks[1_024];

    public ref SlotLinks this[uint slot] => ref _links[slot];

    /// <summary>Makes room for every slot below <paramref name="count"/>.</summary>
    public void Cover(uint count)
    {
        if (count > _links.Length)
        {
            Array.Resize(ref _links, (int)Math.Max(count, Math.Min(2L * _links.Length, Array.MaxLength)));
        }
    }

    public void Append(ref SlotList list, uint slot)
    {
        ref var links = ref _links[slot];
        Invariant.That(links.Next == 0 && links.Previous == 0 && list.Head != slot + 1);
        links.Previous = list.Tail;
        if (list.Tail == 0)
        {
            list.Head = slot + 1;
        }
        else
        {
            _links[list.Tail - 1].Next = slot + 1;
        }

        list.Tail = slot + 1;
        list.Count++;
    }

    public void Remove(ref SlotList list, uint slot)
    {
        ref var links = ref _links[slot];
        Invariant.That(list.Count > 0 && (links.Previous != 0 || list.Head == slot + 1));
        if (links.Previous == 0)
        {
            list.Head = links.Next;
        }
        else
        {
            _links[links.Previous - 1].Next = links.Next;
        }

        if (links.Next == 0)
        {
            list.Tail = links.Previous;
        }
        else
        {
            _links[links.Next - 1].Previous = links.Previous;
        }

        links.Next = 0;
        links.Previous = 0;
        list.Count--;
    }

    /// <summary>Takes the first slot of a list.</summary>
    public bool TryPop(ref SlotList list, out uint slot)
    {
        if (list.Head == 0)
        {
            slot = 0;
            return false;
        }

        slot = list.Head - 1;
        Remove(ref list, slot);
        return true;
    }
}
