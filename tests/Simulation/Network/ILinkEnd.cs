// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Simulation.Network;

/// <summary>One end of a connection, as the process that has it sees it.</summary>
internal interface ILinkEnd
{
    void Received(byte[] message);

    /// <summary>
    /// The connection is over: the other end closed it with this fault (none: well), or it broke
    /// (<see cref="FaultCode.Unavailable"/>). Nothing is received any more.
    /// </summary>
    void Ended(Fault fault);

    /// <summary>Some of what was sent has arrived.</summary>
    void Arrived();
}
