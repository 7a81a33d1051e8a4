// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Endpoint.Access;

/// <summary>What the connection itself says about who is at its other end.</summary>
internal enum PeerKind
{
    /// <summary>Nothing.</summary>
    Unknown,

    /// <summary>A process of this user, or of root, on this host: the kernel says so.</summary>
    OwnUser,

    /// <summary>A process of another user on this host.</summary>
    OtherUser,

    /// <summary>TCP without TLS.</summary>
    Plain,

    /// <summary>TLS, with or without a certificate of the client.</summary>
    Tls,
}
