// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using Muster.Transport.Sockets;

namespace Muster.Unit.Transport;

/// <summary>A <see cref="SocketStream"/> and the bare socket at its other end.</summary>
internal sealed class SocketPair : IDisposable
{
    private readonly SocketThread? _own;

    public SocketPair(SocketThread? thread = null, bool isTcp = false)
    {
        var (near, far) = Connect(isTcp);
        Far = far;
        Thread = thread ?? (_own = new SocketThread("test-net"));
        Near = new SocketStream(near, Thread);
    }

    public SocketStream Near { get; }

    public Socket Far { get; }

    public SocketThread Thread { get; }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
        _own?.Dispose();
    }

    private static (Socket Near, Socket Far) Connect(bool isTcp)
    {
        if (isTcp)
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            return Connect(listener, new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        }

        var folder = Directory.CreateTempSubdirectory("muster-pair-");
        try
        {
            using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "s")));
            return Connect(listener, new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (Socket Near, Socket Far) Connect(Socket listener, Socket near)
    {
        listener.Listen();
        near.Connect(listener.LocalEndPoint!);
        return (near, listener.Accept());
    }
}
