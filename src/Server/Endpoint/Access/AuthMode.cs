// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Endpoint.Access;

/// <summary>What a server asks of who connects by TCP. Peers on the Unix socket are known by the kernel.</summary>
internal enum AuthMode
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>A token with each call, or a certificate of the cell's authority.</summary>
    Tokens,

    /// <summary>A certificate of the cell's authority; without one no call ever begins.</summary>
    Certificates,
}
