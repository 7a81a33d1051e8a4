// SPDX-License-Identifier: Apache-2.0
using System.Net;
using System.Net.Sockets;

namespace Muster.Load.Detection;

/// <summary>
/// Workers as on another host: over TCP, in another process id name space, so that nobody here watches the process.
/// </summary>
internal static class Elsewhere
{
    /// <summary>What a worker's command line begins with (needs root).</summary>
    public static readonly string[] Wrapper = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];

    /// <summary>A port for the Register that nobody uses now.</summary>
    public static int FreePort()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)probe.LocalEndPoint!).Port;
    }
}
