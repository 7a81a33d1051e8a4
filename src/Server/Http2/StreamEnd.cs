// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Http2;

/// <summary>How a stream ended, as far as frames that come afterwards want to know.</summary>
internal enum StreamEnd
{
    /// <summary>It was never opened, or long ago.</summary>
    Unknown,

    /// <summary>We ended it while the peer had more to say: what is under way is passed over.</summary>
    ByUs,

    /// <summary>The peer had said that it ends, or reset it: nothing may follow.</summary>
    ByPeer,
}
