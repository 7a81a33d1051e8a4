// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net.Sockets;
using Muster.Arena.Links;
using Muster.Link;
using Xunit;

namespace Muster.Unit.Link;

/// <summary>Both ends of a link in one process, over the memory and the socket that two would share.</summary>
internal sealed class LinkPair : IDisposable
{
    private readonly LinkPatience? _patience;

    public LinkPair(LinkPatience? patience = null)
    {
        _patience = patience;
        ServerPages = LinkPages.TryCreate(out var file)!;
        using (file)
        {
            Assert.NotNull(ServerPages);
            ClientPages = LinkPages.TryOpen(file!)!;
            Assert.NotNull(ClientPages);
        }

        var folder = Directory.CreateTempSubdirectory("muster-link-");
        var path = Path.Combine(folder.FullName, "s");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        ClientSocket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        ClientSocket.Connect(new UnixDomainSocketEndPoint(path));
        Server = LinkEnd.Start(ServerPages, listener.Accept(), patience);
        folder.Delete(recursive: true);
    }

    public LinkPages ServerPages { get; }

    /// <summary>For a test that plays the client itself; otherwise <see cref="Client"/> owns it.</summary>
    public LinkPages ClientPages { get; }

    public Socket ClientSocket { get; }

    public LinkEnd Server { get; }

    public LinkEnd Client => field ??= LinkEnd.Start(ClientPages, ClientSocket, _patience);

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
