// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 section 5: what may come in which state of a stream.</summary>
internal static class StreamCases
{
    private static readonly Verdict s_protocolError = Verdict.Connection(Http2ErrorCode.ProtocolError);
    private static readonly byte[] s_open = Request(1, ConformanceServer.Duplex, false);
    private static readonly byte[] s_whole = Request(1, ConformanceServer.Deaf, true);

    public static readonly ConformanceCase[] All =
    [
        new("idle: DATA", s_protocolError, DataOf(1, [1], true)),
        new("idle: WINDOW_UPDATE", s_protocolError, WindowUpdateOf(1, 100)),
        new("idle: WINDOW_UPDATE on an even stream", s_protocolError, WindowUpdateOf(2, 100)),
        new("idle: DATA beyond the highest stream", s_protocolError, s_open, DataOf(3, [1], true)),

        new("half-closed: DATA", Verdict.Reset(1, Http2ErrorCode.StreamClosed), s_whole, DataOf(1, [1], false)),
        new("half-closed: empty DATA", Verdict.Reset(1, Http2ErrorCode.StreamClosed), s_whole, DataOf(1, [], true)),
        new("half-closed: HEADERS", Verdict.Reset(1, Http2ErrorCode.StreamClosed), s_whole,
            HeadersOf(1, true, ("x", "y"))),
        new("half-closed: WINDOW_UPDATE", Verdict.Alive, s_whole, WindowUpdateOf(1, 100)),
        new("half-closed: RST_STREAM", Verdict.Alive, s_whole, ResetOf(1)),
        new("half-closed: PRIORITY", Verdict.Alive, s_whole, Of(Priority, 0, 1, new byte[5])),

        new("closed by reset: DATA", Verdict.Reset(1, Http2ErrorCode.StreamClosed), s_open, ResetOf(1),
            DataOf(1, [1], false)),
        new("closed by reset: HEADERS", Verdict.Connection(Http2ErrorCode.StreamClosed), s_open, ResetOf(1),
            HeadersOf(1, true, ("x", "y"))),
        new("closed by reset: CONTINUATION", s_protocolError, s_open, ResetOf(1),
            Of(Continuation, EndHeaders, 1, [0x82])),
        new("closed by reset: WINDOW_UPDATE", Verdict.Alive, s_open, ResetOf(1), WindowUpdateOf(1, 9)),
        new("closed by reset: RST_STREAM", Verdict.Alive, s_open, ResetOf(1), ResetOf(1)),
        new("closed by reset: PRIORITY", Verdict.Alive, s_open, ResetOf(1), Of(Priority, 0, 1, new byte[5])),
        new("closed by the server: DATA that was under way is passed over", Verdict.Alive,
            Request(1, "/no.such/Method", false), DataOf(1, new byte[100], false), DataOf(1, [1], true)),
        new("closed by the server: trailers that were under way are passed over", Verdict.Alive,
            Request(1, "/no.such/Method", false), HeadersOf(1, true, ("x", "y"))),
        new("closed by the server: the next request is served", Verdict.Answered(3),
            Request(1, "/no.such/Method", false), DataOf(1, [1], true),
            Request(3, ConformanceServer.Unary, false), DataOf(3, Message(1), true)),

        new("number: lower than one before", s_protocolError, Request(5, ConformanceServer.Duplex, false),
            Request(3, ConformanceServer.Duplex, false)),
        new("number: skipped ones are fine", Verdict.Answered(9), Request(9, ConformanceServer.Unary, false),
            DataOf(9, Message(1), true)),
        new("number: the highest there is", Verdict.Answered(int.MaxValue),
            Request(int.MaxValue, ConformanceServer.Unary, false), DataOf(int.MaxValue, Message(1), true)),
        new("number: the same twice", Verdict.Reset(1, Http2ErrorCode.ProtocolError), s_open, s_open),

        new("dependency: on itself is advice like any other", Verdict.Answered(1),
            Of(Priority, 0, 1, [0, 0, 0, 1, 9]), Request(1, ConformanceServer.Unary, false),
            DataOf(1, Message(1), true)),
    ];
}
