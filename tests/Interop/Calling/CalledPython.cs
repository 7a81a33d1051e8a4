// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Interop.Peers;

namespace Muster.Interop.Calling;

/// <summary>A server in Python.</summary>
public sealed class CalledPython : CalledPeer
{
    private protected override Task<PeerProcess> StartPeerAsync(string[] arguments) =>
        PeerProcess.StartPythonAsync("server.py", arguments);
}
