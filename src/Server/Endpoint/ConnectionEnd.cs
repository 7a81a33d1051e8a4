// SPDX-License-Identifier: Apache-2.0
using Grpc.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// How a connection ended, as far as its calls want to know: whether the peer's own kernel closed or reset it, which is
/// what it does when a process dies, or whether it ended here (a time-out, a limit, a stop). One for each connection;
/// written by the connection's receive loop before its calls hear of the end.
/// </summary>
internal sealed class ConnectionEnd
{
    private volatile bool _isByPeer;

    /// <summary>The peer closed or reset the connection.</summary>
    public bool IsByPeer
    {
        get => _isByPeer;
        set => _isByPeer = value;
    }

    /// <summary>That of the connection that carries the call.</summary>
    public static ConnectionEnd? Of(ServerCallContext context) => ((IOutboxCall)context).Connection;
}
