// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 sections 4 and 6: size, stream and padding of each kind of frame.</summary>
internal static class FrameCases
{
    private static readonly Verdict s_protocolError = Verdict.Connection(Http2ErrorCode.ProtocolError);
    private static readonly Verdict s_sizeError = Verdict.Connection(Http2ErrorCode.FrameSizeError);
    private static readonly byte[] s_open = Request(1, ConformanceServer.Duplex, false);

    public static readonly ConformanceCase[] All =
    [
        new("frame: an unknown type is passed over", Verdict.Alive, Of(0x16, 0, 0, [1, 2, 3])),
        new("frame: an unknown type on a stream is passed over", Verdict.Alive, s_open, Of(0x77, 0xff, 1, new byte[9])),
        new("frame: unknown flags are passed over", Verdict.Alive, Of(Ping, 0xfe, 0, new byte[8])),
        new("frame: the reserved bit is passed over", Verdict.Alive, Of(Ping, 0, 0x8000_0000, new byte[8])),
        new("frame: DATA of the largest size", Verdict.Alive, s_open, DataOf(1, new byte[16_384], false)),
        new("frame: DATA beyond the largest size", s_sizeError, s_open, DataOf(1, new byte[16_385], false)),
        new("frame: HEADERS beyond the largest size", s_sizeError, Of(Headers, EndHeaders, 1, new byte[16_385])),
        new("frame: unknown type beyond the largest size", s_sizeError, Of(0x20, 0, 0, new byte[16_385])),

        new("DATA: on stream 0", s_protocolError, DataOf(0, [1], false)),
        new("DATA: on a stream of the server", s_protocolError, DataOf(2, [1], false)),
        new("DATA: all padding", Verdict.Alive, s_open, Of(Data, Padded, 1, [3, 0, 0, 0])),
        new("DATA: padding as long as the frame", s_protocolError, s_open, Of(Data, Padded, 1, [4, 0, 0, 0])),
        new("DATA: padding longer than the frame", s_protocolError, s_open, Of(Data, Padded, 1, [255, 0, 0])),
        new("DATA: padded and empty", s_protocolError, s_open, Of(Data, Padded, 1)),
        new("DATA: padding around a message", Verdict.Answered(1), s_open,
            Of(Data, Padded | EndStream, 1, [2, .. Message(1), 0, 0])),
        new("DATA: a message in single bytes", Verdict.Answered(1), s_open, DataOf(1, [0], false),
            DataOf(1, [0], false), DataOf(1, [0, 0], false), DataOf(1, [1], false), DataOf(1, [9], true)),
        new("DATA: empty with the end", Verdict.Answered(1), s_open, DataOf(1, Message(2), false), DataOf(1, [], true)),

        new("HEADERS: on stream 0", s_protocolError, Request(0, ConformanceServer.Unary, true)),
        new("HEADERS: on an even stream", s_protocolError, Request(2, ConformanceServer.Unary, true)),
        new("HEADERS: padding longer than the frame", s_protocolError,
            Of(Headers, EndHeaders | Padded, 1, [200, 0x82])),
        new("HEADERS: padded and empty", s_protocolError, Of(Headers, EndHeaders | Padded, 1)),
        new("HEADERS: too short for its priority", s_sizeError,
            Of(Headers, EndHeaders | HasPriority, 1, [0, 0, 0])),
        new("HEADERS: with padding and priority", Verdict.Answered(1), PaddedRequest(1), DataOf(1, Message(0), true)),

        new("PRIORITY: on stream 0", s_protocolError, Of(Priority, 0, 0, new byte[5])),
        new("PRIORITY: of 4 bytes", s_sizeError, Of(Priority, 0, 1, new byte[4])),
        new("PRIORITY: of 6 bytes", s_sizeError, Of(Priority, 0, 1, new byte[6])),
        new("PRIORITY: on a stream that is not open", Verdict.Alive, Of(Priority, 0, 5, new byte[5])),
        new("PRIORITY: on an open stream", Verdict.Alive, s_open, Of(Priority, 0, 1, [0, 0, 0, 0, 15])),

        new("RST_STREAM: on stream 0", s_protocolError, ResetOf(0)),
        new("RST_STREAM: on a stream that is not open", s_protocolError, ResetOf(1)),
        new("RST_STREAM: on an even stream", s_protocolError, ResetOf(4)),
        new("RST_STREAM: of 3 bytes", s_sizeError, s_open, Of(Reset, 0, 1, new byte[3])),
        new("RST_STREAM: of 5 bytes", s_sizeError, s_open, Of(Reset, 0, 1, new byte[5])),
        new("RST_STREAM: with an unknown code", Verdict.Alive, s_open, Of(Reset, 0, 1, Number(0xdead_beef))),

        new("PUSH_PROMISE: from a client", s_protocolError, s_open,
            Of(PushPromise, EndHeaders, 1, [.. Number(2), 0x82])),

        new("PING: on a stream", s_protocolError, Of(Ping, 0, 1, new byte[8])),
        new("PING: of 7 bytes", s_sizeError, Of(Ping, 0, 0, new byte[7])),
        new("PING: of 9 bytes", s_sizeError, Of(Ping, 0, 0, new byte[9])),
        new("PING: an answer that nobody asked for", Verdict.Alive, Of(Ping, Ack, 0, new byte[8])),

        new("GOAWAY: on a stream", s_protocolError, Of(GoAway, 0, 1, new byte[8])),
        new("GOAWAY: of 7 bytes", s_sizeError, Of(GoAway, 0, 0, new byte[7])),
        new("GOAWAY: calls under way go on", Verdict.Answered(1), s_open, Of(GoAway, 0, 0, new byte[8]),
            DataOf(1, Message(1), true)),
        new("GOAWAY: with words", Verdict.Alive, Of(GoAway, 0, 0, [0, 0, 0, 0, 0, 0, 0, 2, 66, 89, 69])),

        new("CONTINUATION: without headers", s_protocolError, Of(Continuation, EndHeaders, 1, [0x82])),
        new("CONTINUATION: after whole headers", s_protocolError, s_open, Of(Continuation, EndHeaders, 1, [0x82])),
        new("CONTINUATION: on stream 0", s_protocolError, Split(1)[0], Of(Continuation, EndHeaders, 0, [0x82])),
        new("CONTINUATION: on another stream", s_protocolError, Split(1)[0], Of(Continuation, EndHeaders, 3, [0x82])),
        new("CONTINUATION: a request in four frames", Verdict.Answered(1), [.. Split(1), DataOf(1, Message(4), true)]),
        new("CONTINUATION: DATA in between", s_protocolError, Split(1)[0], DataOf(1, [0], false)),
        new("CONTINUATION: PING in between", s_protocolError, Split(1)[0], Of(Ping, 0, 0, new byte[8])),
        new("CONTINUATION: an unknown type in between", s_protocolError, Split(1)[0], Of(0x20, 0, 0, [1])),
        new("CONTINUATION: headers of another stream in between", s_protocolError, Split(1)[0],
            Request(3, ConformanceServer.Unary, true)),
    ];

    private static byte[] PaddedRequest(uint streamId)
    {
        var plain = Request(streamId, ConformanceServer.Unary, false)[FrameHeader.Size..];
        return Of(Headers, EndHeaders | Padded | HasPriority, streamId, [3, 0, 0, 0, 0, 9, .. plain, 0, 0, 0]);
    }

    private static byte[][] Split(uint streamId)
    {
        var block = Request(streamId, ConformanceServer.Unary, false)[FrameHeader.Size..];
        return
        [
            Of(Headers, 0, streamId, block[..5]),
            Of(Continuation, 0, streamId, block[5..20]),
            Of(Continuation, 0, streamId),
            Of(Continuation, EndHeaders, streamId, block[20..]),
        ];
    }
}
