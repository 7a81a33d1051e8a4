// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Net.Sockets;
using Muster.Arena.Native;

namespace Muster.Server.Endpoint.Access;

/// <summary>Who is at the other end of a connection, as far as the connection proves it. Immutable.</summary>
internal sealed record ConnectionPeer
{
    public static readonly ConnectionPeer Unknown = new() { Name = "unknown:" };

    public PeerKind Kind { get; init; }

    /// <summary>The peer's address in gRPC's own spelling, for people and logs.</summary>
    public required string Name { get; init; }

    /// <summary>Id of the identity that the client's certificate proves; null: it proves none.</summary>
    public string? CredentialId { get; init; }

    /// <summary>When that certificate's time is over.</summary>
    public DateTimeOffset CertificateEnds { get; init; }

    /// <summary>The client showed a certificate that is not of this cell's authority.</summary>
    public bool HasForeignCertificate { get; init; }

    /// <summary>That of a connection without TLS.</summary>
    public static ConnectionPeer Of(Socket socket)
    {
        if (socket.AddressFamily != AddressFamily.Unix)
        {
            return new() { Kind = PeerKind.Plain, Name = NameOf(socket) };
        }

        var user = SocketMessage.PeerUser(socket);
        return new()
        {
            // Root may do all this anyway.
            Kind = user == User.Id || user == 0 ? PeerKind.OwnUser : PeerKind.OtherUser,
            Name = "unix:",
        };
    }

    public static string NameOf(Socket? socket)
    {
        try
        {
            return socket?.RemoteEndPoint switch
            {
                IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6 => $"ipv6:{v6}",
                IPEndPoint v4 => $"ipv4:{v4}",
                _ => "unix:",
            };
        }
        catch (SocketException)
        {
            // It has gone again already.
            return "unknown:";
        }
    }
}
