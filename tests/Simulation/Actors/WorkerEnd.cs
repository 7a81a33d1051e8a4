// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Simulation.Network;

namespace Muster.Simulation.Actors;

/// <summary>A worker's end of one of its two streams; which one, its two callbacks know.</summary>
internal sealed class WorkerEnd(Action<byte[]> received, Action<Fault> ended) : ILinkEnd
{
    public void Received(byte[] message) => received(message);

    public void Ended(Fault fault) => ended(fault);

    public void Arrived()
    {
    }
}
