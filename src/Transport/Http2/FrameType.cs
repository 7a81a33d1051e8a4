// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Http2;

/// <summary>The kinds of frames of RFC 9113 section 6. Others are passed over.</summary>
internal enum FrameType : byte
{
    Data = 0,
    Headers = 1,
    Priority = 2,
    RstStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    GoAway = 7,
    WindowUpdate = 8,
    Continuation = 9,
}
