// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena;

/// <summary>Shows that this process holds a role. Disposing gives it up.</summary>
internal sealed class RoleLease : IDisposable
{
    /// <summary>Rises with each takeover of the role.</summary>
    public uint Epoch => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
