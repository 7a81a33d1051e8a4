// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;

namespace Muster.Transport.Http2;

/// <summary>Flags of frames. The same bit means different things on different types.</summary>
[Flags]
[SuppressMessage("Design", "CA1069", Justification = "The protocol gives one bit two meanings.")]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>SETTINGS and PING: an answer.</summary>
    Ack = 1,

    /// <summary>DATA and HEADERS: the sender sends nothing more on the stream.</summary>
    EndStream = 1,
    EndHeaders = 4,
    Padded = 8,
    Priority = 32,
}
