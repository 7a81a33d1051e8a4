// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Peers;

/// <summary>The client's end of a peer. For one thread.</summary>
internal interface IPeerClient : IDisposable
{
    /// <summary>Puts one task with a payload of 100 bytes; it may wait here for the next receive.</summary>
    void Submit();

    /// <summary>Sends what waits, waits for a result of 32 bytes, and takes what has come with it.</summary>
    /// <returns>How many results came, at least one.</returns>
    int Receive();
}
