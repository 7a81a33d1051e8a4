// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Server.Http2;

/// <summary>What a connection of a stranger may cost, with the reason for each.</summary>
internal static class ServerLimits
{
    /// <summary>Bytes of one frame: the protocol's default, and what a connection may hold unparsed.</summary>
    public const int FrameBytesMax = 16_384;

    /// <summary>First buffer of a connection: an idle one keeps no more.</summary>
    public const int InputBytesMin = 4_096;

    /// <summary>One read of a busy connection takes at most this.</summary>
    public const int InputBytesMax = 131_072;

    /// <summary>After so many small reads in a row a large buffer is given back.</summary>
    public const int SmallReadsMax = 256;

    /// <summary>A request's decoded headers, counted as HTTP/2 does: name + value + 32 each.</summary>
    public const int HeaderBytesMax = 16 * 1_024;

    /// <summary>Above it the peer does not send headers, it fills memory: the connection ends.</summary>
    public const int HeaderBombBytes = 4 * HeaderBytesMax;

    public const int HeaderCountMax = 64;

    /// <summary>A coded header block over all its frames; literals are never larger coded than decoded.</summary>
    public const int HeaderBlockBytesMax = 2 * HeaderBytesMax;

    /// <summary>CONTINUATION frames of one block: four times what the largest block needs.</summary>
    public const int ContinuationsMax = 8;

    /// <summary>A whole message with its prefix fits into the window, so none waits half-way for an update.</summary>
    public const int StreamWindowBytes = TaskLimits.MessageBytesMax + 1_024;

    /// <summary>Two full stream windows: one stalled reader of large messages does not stop the others.</summary>
    public const int ConnectionWindowBytes = 2 * StreamWindowBytes;

    /// <summary>
    /// What a stream's reader has taken is told to the connection in steps of this: small, so that a hundred streams
    /// which are each a little behind do not use up its window.
    /// </summary>
    public const int CreditStepBytes = 16 * 1_024;

    /// <summary>
    /// What all streams gave back is told to the peer in steps of this. Whatever is held back for a step is missing in
    /// the window: a full stream whose handler does not read, a step of each of a hundred streams and this together
    /// must leave room, or one such stream would stop all others.
    /// </summary>
    public const int ConnectionCreditStepBytes = 1 << 20;

    /// <summary>Streams whose end is remembered, to tell late frames from forbidden ones.</summary>
    public const int EndedStreamsMax = 256;

    /// <summary>
    /// Handlers that may run for each stream allowed: a client may cancel a call and begin another before the first
    /// has noticed.
    /// </summary>
    public const int CallsPerStream = 2;

    /// <summary>One address may have this part of all connections, but at least the number behind.</summary>
    public const int AddressShare = 4;
    public const int ConnectionsPerAddressMin = 64;

    /// <summary>Calls that run for one address at once: 6 KB each while they wait.</summary>
    public const int CallsPerAddressMax = 10_000;

    /// <summary>Calls of one address a second, and at once after a rest: what a core serves of the smallest.</summary>
    public const int CallsPerSecondMax = 50_000;
    public const int CallsAtOnceMax = 100_000;

    /// <summary>Bytes of all requests that have arrived and that no handler took, at least.</summary>
    public const long RequestBytesMin = 64L << 20;

    /// <summary>They may be this part of the memory.</summary>
    public const int RequestMemoryShare = 8;

    /// <summary>
    /// What one connection may hold while that is used up, so that small requests go on; and when it is used up twice.
    /// </summary>
    public const int ScarceBytesMax = 256 * 1_024;
    public const int ScarcestBytesMax = 4 * 1_024;

    /// <summary>A call that has run for so long costs its canceller nothing.</summary>
    public static readonly TimeSpan CancelGrace = TimeSpan.FromMilliseconds(20);

    /// <summary>How long preface and settings may take, and a header block until it is whole.</summary>
    public static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Handshakes under way at the same time; others wait for their turn, within the same time.</summary>
    public const int TlsHandshakesMax = 64;

    public static readonly TimeSpan TlsHandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>How long a frame may stay half arrived.</summary>
    public static readonly TimeSpan FrameTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A connection without a call is closed after this; clients connect again when they need to.</summary>
    public static readonly TimeSpan IdleTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Silence after which a peer is asked whether it lives.</summary>
    public static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(20);

    public static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(20);

    /// <summary>A request of one message must arrive at this rate after the grace.</summary>
    public const int BodyBytesPerSecondMin = 240;

    public static readonly TimeSpan BodyGrace = TimeSpan.FromSeconds(5);

    /// <summary>How long the last bytes of a call that has ended may wait for a peer that does not read.</summary>
    public static readonly TimeSpan LastBytesTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long a farewell may take, and how long the rest of what a closed peer sends is read away.</summary>
    public static readonly TimeSpan FarewellTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>How often connections are looked at for what is late.</summary>
    public static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);
}
