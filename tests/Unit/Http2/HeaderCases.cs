// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 9113 section 8: requests. A malformed one ends its stream alone.</summary>
internal static class HeaderCases
{
    private static readonly Verdict s_malformed = Verdict.Reset(1, Http2ErrorCode.ProtocolError);

    public static readonly ConformanceCase[] All =
    [
        new("request: whole", Verdict.Answered(1), With(), DataOf(1, Message(5), true)),
        new("request: an upper-case name", s_malformed, With(("X-Loud", "1"))),
        new("request: a name with a space", s_malformed, With(("a b", "1"))),
        new("request: a name with a colon inside", s_malformed, With(("a:b", "1"))),
        new("request: a value with a line feed", s_malformed, With(("a", "1\n2"))),
        new("request: a value with a carriage return", s_malformed, With(("a", "1\r2"))),
        new("request: a value with a zero", s_malformed, With(("a", "1\02"))),
        new("request: a value with a leading space", s_malformed, With(("a", " 1"))),
        new("request: a value with a trailing tab", s_malformed, With(("a", "1\t"))),
        new("request: an empty value", Verdict.Answered(1), With(("a", "")), DataOf(1, Message(1), true)),

        new("connection-specific: connection", s_malformed, With(("connection", "close"))),
        new("connection-specific: keep-alive", s_malformed, With(("keep-alive", "1"))),
        new("connection-specific: proxy-connection", s_malformed, With(("proxy-connection", "close"))),
        new("connection-specific: transfer-encoding", s_malformed, With(("transfer-encoding", "chunked"))),
        new("connection-specific: upgrade", s_malformed, With(("upgrade", "h2c"))),
        new("connection-specific: te of gzip", s_malformed, With(("te", "gzip"))),
        new("connection-specific: te of trailers", Verdict.Answered(1), With(("te", "trailers")),
            DataOf(1, Message(1), true)),

        new("pseudo: unknown", s_malformed, With((":what", "1"))),
        new("pseudo: of responses", s_malformed, Pseudo((":status", "200"))),
        new("pseudo: behind a regular one", s_malformed, HeadersOf(1, true, ("a", "b"), (":method", "POST"),
            (":scheme", "http"), (":path", ConformanceServer.Unary))),
        new("pseudo: method twice", s_malformed, Pseudo((":method", "POST"))),
        new("pseudo: scheme twice", s_malformed, Pseudo((":scheme", "http"))),
        new("pseudo: path twice", s_malformed, Pseudo((":path", "/"))),
        new("pseudo: authority twice", s_malformed, Pseudo((":authority", "a"), (":authority", "b"))),
        new("pseudo: no method", s_malformed, Without(":method")),
        new("pseudo: no scheme", s_malformed, Without(":scheme")),
        new("pseudo: no path", s_malformed, Without(":path")),
        new("pseudo: none at all", s_malformed, HeadersOf(1, true, ("a", "b"))),
        new("pseudo: no authority is fine", Verdict.Answered(1), Without(":authority", false),
            DataOf(1, Message(1), true)),
        new("pseudo: an empty path", s_malformed, HeadersOf(1, true, (":method", "POST"), (":scheme", "http"),
            (":path", ""))),
        new("pseudo: a path without a slash", s_malformed, HeadersOf(1, true, (":method", "POST"),
            (":scheme", "http"), (":path", "muster"))),

        new("length: shorter than the body", s_malformed, With(("content-length", "5")), DataOf(1, Message(1), true)),
        new("length: longer than the body", s_malformed, With(("content-length", "7")), DataOf(1, Message(1), true)),
        new("length: over several frames", s_malformed, With(("content-length", "7")), DataOf(1, Message(1), false),
            DataOf(1, [], true)),
        new("length: said of no body", s_malformed, HeadersOf(1, true,
            [.. Usual(ConformanceServer.Unary), ("content-length", "1")])),
        new("length: before trailers", s_malformed, With(("content-length", "7")), DataOf(1, Message(1), false),
            HeadersOf(1, true, ("x", "y"))),
        new("length: no number", s_malformed, With(("content-length", "six"))),
        new("length: negative", s_malformed, With(("content-length", "-6"))),
        new("length: said twice, differently", s_malformed, With(("content-length", "6"), ("content-length", "7"))),
        new("length: exact", Verdict.Answered(1), With(("content-length", "6")), DataOf(1, Message(1), true)),

        new("trailers: end the request", Verdict.Answered(1), With(), DataOf(1, Message(1), false),
            HeadersOf(1, true, ("x", "y"))),
        new("trailers: without the end", s_malformed, With(), DataOf(1, Message(1), false),
            HeadersOf(1, false, ("x", "y"))),
        new("trailers: with a pseudo header", s_malformed, With(), DataOf(1, Message(1), false),
            HeadersOf(1, true, (":path", "/"))),
        new("trailers: with an upper-case name", s_malformed, With(), DataOf(1, Message(1), false),
            HeadersOf(1, true, ("X", "y"))),

        new("gRPC: another method than POST", Verdict.Answered(1, "405"), HeadersOf(1, true, (":method", "GET"),
            (":scheme", "http"), (":path", "/"))),
        new("gRPC: other content", Verdict.Answered(1, "415"), HeadersOf(1, true, (":method", "POST"),
            (":scheme", "http"), (":path", "/"), ("content-type", "text/html"))),
        new("gRPC: an unknown method", Verdict.Answered(1, "12"), Request(1, "/no.such/Method", true)),
        new("gRPC: a path of 300 characters", Verdict.Answered(1, "12"),
            Request(1, "/" + new string('a', 300), true)),
        new("gRPC: 70 headers", Verdict.Answered(1, "8"),
            With([.. Enumerable.Range(0, 70).Select(n => ($"h{n}", "v"))])),
        new("gRPC: 17 KiB of headers", Verdict.Answered(1, "8"), Large(17 * 1_024)),
        new("gRPC: 9 KiB of metadata", Verdict.Answered(1, "8"), Large(9 * 1_024)),
        new("gRPC: a compressed message", Verdict.Answered(1, "12"), With(), DataOf(1, [1, 0, 0, 0, 1, 7], true)),
        new("gRPC: a coding", Verdict.Answered(1, "12"), With(("grpc-encoding", "gzip"))),
        new("gRPC: a message of 4 GiB", Verdict.Answered(1, "8"), With(), DataOf(1, [0, 255, 255, 255, 255], false)),
        new("gRPC: half a message", Verdict.Answered(1, "13"), With(), DataOf(1, [0, 0, 0, 0, 9, 1], true)),
        new("gRPC: a damaged binary header is nobody's", Verdict.Answered(1), With(("a-bin", "!!")),
            DataOf(1, Message(1), true)),
    ];

    private static byte[] With(params (string Name, string Value)[] more) =>
        HeadersOf(1, false, [.. Usual(ConformanceServer.Unary), .. more]);

    private static byte[] Pseudo(params (string Name, string Value)[] more) => HeadersOf(
        1, true, [(":method", "POST"), (":scheme", "http"), (":path", ConformanceServer.Unary), .. more]);

    private static byte[] Without(string name, bool endStream = true) => HeadersOf(
        1, endStream, [.. Usual(ConformanceServer.Unary).Where(field => field.Name != name)]);

    // In two frames, as one takes no more than 16 KiB.
    private static byte[] Large(int bytes)
    {
        var block = With(("a", new string('v', bytes - 400)), ("b", new string('v', 300)))[FrameHeader.Size..];
        return
        [
            .. Of(Headers, 0, 1, block[..5_000]),
            .. Of(Continuation, 0, 1, block[5_000..9_000]),
            .. Of(Continuation, EndHeaders, 1, block[9_000..]),
        ];
    }
}
