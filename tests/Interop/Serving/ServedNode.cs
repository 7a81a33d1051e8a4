// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Interop.Peers;

namespace Muster.Interop.Serving;

/// <summary>A client in Node.</summary>
public sealed class ServedNode : ServedPeer
{
    private protected override Task<PeerProcess> StartPeerAsync() => PeerProcess.StartNodeAsync("client.mjs");
}
