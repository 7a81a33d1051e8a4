// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Http2;

/// <summary>
/// Who made a connection and is told what becomes of it. Called without any lock of the connection held.
/// </summary>
internal interface IConnectionOwner
{
    /// <summary>A stream ended or the server allows more: there may be room for another.</summary>
    void OnRoom(Http2Connection connection);

    /// <summary>No stream starts here any more; those that run go on.</summary>
    void OnDraining(Http2Connection connection);

    /// <summary>The connection is gone. Comes once.</summary>
    void OnClosed(Http2Connection connection, string reason);
}
