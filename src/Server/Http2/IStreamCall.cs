// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Http2;

/// <summary>The call that a stream carries.</summary>
internal interface IStreamCall
{
    /// <summary>
    /// The peer reset the stream, or its connection is gone: nothing comes or goes any more. Once, on a thread of the
    /// pool.
    /// </summary>
    void OnPeerGone();
}
