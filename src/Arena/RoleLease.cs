// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Arena;

/// <summary>Shows that this process holds a role. Disposing gives it up; so does disposing the arena.</summary>
internal sealed class RoleLease : IDisposable
{
    private Action? _giveUp;

    internal RoleLease(uint epoch, Action giveUp)
    {
        Epoch = epoch;
        _giveUp = giveUp;
    }

    /// <summary>Rises with each takeover of the role.</summary>
    public uint Epoch { get; }

    public void Dispose() => Interlocked.Exchange(ref _giveUp, null)?.Invoke();
}
