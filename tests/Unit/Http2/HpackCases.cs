// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using Muster.Transport.Http2;
using static Muster.Unit.Http2.FrameBytes;

namespace Muster.Unit.Http2;

/// <summary>RFC 7541: header blocks. What cannot be decoded loses the table, and with it the connection.</summary>
internal static class HpackCases
{
    private static readonly Verdict s_damaged = Verdict.Connection(Http2ErrorCode.CompressionError);
    private static readonly byte[] s_path = [0x44, 7, .. "/no/one"u8];

    public static readonly ConformanceCase[] All =
    [
        new("HPACK: index 0", s_damaged, Block(0x80)),
        new("HPACK: an index beyond both tables", s_damaged, Block(0xbe)),
        new("HPACK: a name's index beyond both tables", s_damaged, Block(0x7e, 1, (byte)'a')),
        new("HPACK: an integer without end", s_damaged, Block(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
        new("HPACK: an integer of 2^32", s_damaged, Block(0xff, 0x81, 0xff, 0xff, 0xff, 0x0f)),
        new("HPACK: ends inside an integer", s_damaged, Block(0xff, 0x80)),
        new("HPACK: ends before the value", s_damaged, Block(0x40, 1, (byte)'a')),
        new("HPACK: ends inside a string", s_damaged, Block(0x40, 5, (byte)'a', (byte)'b')),
        new("HPACK: a string longer than everything", s_damaged, Block(0x00, 0x7f, 0xff, 0xff, 0x03)),
        new("HPACK: a table size beyond ours", s_damaged, Block(0x3f, 0xe2, 0x1f)),
        new("HPACK: a table size after a header", s_damaged, Block(0x82, 0x20)),
        new("HPACK: Huffman padding of a byte", s_damaged, Block(0x40, 0x82, 0x1f, 0xff, 1, (byte)'b')),
        new("HPACK: Huffman padding with zeros", s_damaged, Block(0x40, 0x81, 0x18, 1, (byte)'b')),
        new("HPACK: the Huffman code for the end", s_damaged, Block(0x40, 0x84, 0xff, 0xff, 0xff, 0xff, 1, (byte)'b')),
        new("HPACK: an empty name", Verdict.Connection(Http2ErrorCode.ProtocolError), Block(0x40, 0, 1, (byte)'a')),
        new("HPACK: damage in trailers", s_damaged, Request(1, ConformanceServer.Duplex, false), Block(0x80)),
        new("HPACK: damage for a stream that has ended", s_damaged, Request(1, "/no.such/Method", false), Block(0x80)),
        new("HPACK: a table size of 0 and then of 4,096", Verdict.Reset(1, Http2ErrorCode.ProtocolError),
            Block(0x20, 0x3f, 0xe1, 0x1f, 0x82)),
        new("HPACK: entries of one request serve the next", Verdict.Answered(3, "12"), First(1), Again(3)),
        new("HPACK: entries are kept from a request that is refused", Verdict.Answered(3, "12"),
            Block([.. s_path, 0x40, 1, (byte)'A', 1, (byte)'b', .. ContentType()]), Kept(3)),
        new("HPACK: an entry that went out of the table", s_damaged,
            Block([.. ContentType(), .. Enumerable.Repeat(Big(), 3).SelectMany(each => each), 0xc1])),
        new("HPACK: a table that was emptied", s_damaged, First(1),
            Of(Headers, EndHeaders | EndStream, 3, [0x20, 0xbe])),
        new("HPACK: decodes to more than 64 KiB", Verdict.Connection(Http2ErrorCode.EnhanceYourCalm),
            Block([.. Big(), .. Enumerable.Repeat((byte)0xbe, 60)])),
    ];

    private static byte[] Block(params byte[] block) => Of(Headers, EndHeaders | EndStream, 1, block);

    private static byte[] ContentType() => [0x5f, 16, .. "application/grpc"u8];

    private static byte[] Big() => [0x40, 1, (byte)'a', 0x7f, 0xd1, 0x0b, .. Enumerable.Repeat((byte)'x', 1_616)];

    // Path and content become entries 63 and 62.
    private static byte[] First(uint streamId) =>
        Of(Headers, EndHeaders | EndStream, streamId, [0x83, 0x86, .. s_path, .. ContentType()]);

    private static byte[] Again(uint streamId) =>
        Of(Headers, EndHeaders | EndStream, streamId, [0x83, 0x86, 0xbf, 0xbe]);

    // Content is entry 62, the bad name 63, the path 64.
    private static byte[] Kept(uint streamId) =>
        Of(Headers, EndHeaders | EndStream, streamId, [0x83, 0x86, 0xc0, 0xbe]);
}
