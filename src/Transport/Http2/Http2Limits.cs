// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Http2;

/// <summary>What this side of a connection bears.</summary>
internal static class Http2Limits
{
    /// <summary>What both sides assume before SETTINGS arrive, RFC 9113 section 6.5.2.</summary>
    public const int DefaultWindowBytes = 65_535;

    public const int DefaultFrameBytesMax = 16_384;

    public const int WindowBytesMax = int.MaxValue;

    /// <summary>Largest frame we let the server send: four times the default saves headers on large messages.</summary>
    public const int FrameBytesMax = 65_536;

    /// <summary>One read takes at most this; a frame with its header always fits with room to spare.</summary>
    public const int ReceiveBufferBytes = 2 * FrameBytesMax;

    /// <summary>A coded header block over all its frames. More ends the connection: nothing decodes so much.</summary>
    public const int HeaderBlockBytesMax = 65_536;

    /// <summary>CONTINUATION frames of one block, so that empty ones cannot go on for ever.</summary>
    public const int ContinuationsMax = 64;

    /// <summary>Bytes of DATA that wait for the socket; beyond it writers wait, not memory.</summary>
    public const int OutboxDataBytesMax = 1 << 20;

    /// <summary>Control frames may go beyond by this: answers to a peer that asks and never reads end there.</summary>
    public const int OutboxControlBytesMax = 1 << 20;

    /// <summary>Size of our HPACK decoding table: the default of the protocol.</summary>
    public const int HeaderTableBytes = 4096;
}
