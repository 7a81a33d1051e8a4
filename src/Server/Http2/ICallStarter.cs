// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Http2;

/// <summary>Starts the call of each request.</summary>
internal interface ICallStarter
{
    /// <summary>
    /// Takes over what the head says of the request; on the receive loop, so what it starts here must not block. The
    /// head is valid during the call only.
    /// </summary>
    void Start(ServerStream stream, RequestHead head);
}
