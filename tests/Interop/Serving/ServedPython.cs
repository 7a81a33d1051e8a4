// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Interop.Peers;

namespace Muster.Interop.Serving;

/// <summary>A client in Python.</summary>
public sealed class ServedPython : ServedPeer
{
    private protected override Task<PeerProcess> StartPeerAsync() => PeerProcess.StartPythonAsync("client.py");
}
