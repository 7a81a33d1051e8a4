// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 sections 5.2 and 6.9: flow control.</summary>
internal static class FlowCases
{
    private const int FullStreamFrames = 256;

    private static readonly Verdict s_flowError = Verdict.Connection(Http2ErrorCode.FlowControlError);
    private static readonly byte[] s_open = Request(1, ConformanceServer.Duplex, false);

    public static readonly ConformanceCase[] All =
    [
        new("WINDOW_UPDATE: of 3 bytes", Verdict.Connection(Http2ErrorCode.FrameSizeError),
            Of(WindowUpdate, 0, 0, new byte[3])),
        new("WINDOW_UPDATE: of 5 bytes on a stream", Verdict.Connection(Http2ErrorCode.FrameSizeError), s_open,
            Of(WindowUpdate, 0, 1, new byte[5])),
        new("WINDOW_UPDATE: of 0 on the connection", Verdict.Connection(Http2ErrorCode.ProtocolError),
            WindowUpdateOf(0, 0)),
        new("WINDOW_UPDATE: of 0 on a stream", Verdict.Reset(1, Http2ErrorCode.ProtocolError), s_open,
            WindowUpdateOf(1, 0)),
        new("WINDOW_UPDATE: the reserved bit is passed over", Verdict.Alive, WindowUpdateOf(0, 0x8000_0001)),
        new("WINDOW_UPDATE: the connection's becomes 2^31 - 1", Verdict.Alive,
            WindowUpdateOf(0, int.MaxValue - 65_535)),
        new("WINDOW_UPDATE: the connection's becomes 2^31", s_flowError, WindowUpdateOf(0, int.MaxValue - 65_534)),
        new("WINDOW_UPDATE: a stream's becomes 2^31", Verdict.Reset(1, Http2ErrorCode.FlowControlError), s_open,
            WindowUpdateOf(1, int.MaxValue - 65_534)),
        new("window: settings make a running stream's too large", s_flowError, s_open,
            WindowUpdateOf(1, int.MaxValue - 65_535), SettingsOf((4, 65_536))),
        new("window: a stream's is overrun", Verdict.Reset(1, Http2ErrorCode.FlowControlError),
            [Request(1, ConformanceServer.Deaf, false), .. Frames(1, FullStreamFrames + 1)]),
        new("window: the connection's is overrun", s_flowError,
            [
                Request(1, ConformanceServer.Deaf, false), Request(3, ConformanceServer.Deaf, false),
                Request(5, ConformanceServer.Deaf, false), .. Frames(1, FullStreamFrames),
                .. Frames(3, FullStreamFrames), .. Frames(5, 1),
            ]),
    ];

    private static byte[][] Frames(uint streamId, int count) =>
        [.. Enumerable.Repeat(DataOf(streamId, new byte[16_384], false), count)];
}
