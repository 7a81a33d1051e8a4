// SPDX-License-Identifier: Apache-2.0
using Muster.Plm;

namespace Muster.Unit.Plm;

/// <summary>A call that waits for one task.</summary>
internal sealed class FakeAwaiter : ITaskAwaiter
{
    public int Resolved { get; private set; }

    public uint Slot { get; private set; }

    public void Resolve(uint slot, PlmTime now)
    {
        Resolved++;
        Slot = slot;
    }
}
