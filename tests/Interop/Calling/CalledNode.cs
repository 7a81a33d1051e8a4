// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Interop.Peers;

namespace Muster.Interop.Calling;

/// <summary>A server in Node.</summary>
public sealed class CalledNode : CalledPeer
{
    private protected override Task<PeerProcess> StartPeerAsync(string[] arguments) =>
        PeerProcess.StartNodeAsync("server.mjs", arguments);
}
