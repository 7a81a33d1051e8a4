// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Http2;

/// <summary>What became of the wish to start a stream.</summary>
internal enum StartResult
{
    Started,

    /// <summary>The server allows no more streams at once; the owner is told when there is room.</summary>
    Full,

    /// <summary>The connection takes no streams any more.</summary>
    Gone,
}
