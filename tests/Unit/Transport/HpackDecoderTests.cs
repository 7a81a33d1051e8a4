// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

public class HpackDecoderTests
{
    private const string Date21 = "Mon, 21 Oct 2013 20:13:21 GMT";
    private const string Date22 = "Mon, 21 Oct 2013 20:13:22 GMT";
    private const string Cookie = "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";

    // RFC 7541 appendix C: a table size, blocks in order, and the headers of each.
    public static TheoryData<string, int, string[], string[]> Examples => new()
    {
        {
            "C.2.1", 4096, ["400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572"],
            ["custom-key=custom-header"]
        },
        { "C.2.2", 4096, ["040c 2f73 616d 706c 652f 7061 7468"], [":path=/sample/path"] },
        { "C.2.3", 4096, ["1008 7061 7373 776f 7264 0673 6563 7265 74"], ["password=secret"] },
        { "C.2.4", 4096, ["82"], [":method=GET"] },
        {
            "C.3", 4096,
            [
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ],
            Requests
        },
        {
            "C.4", 4096,
            [
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ],
            Requests
        },
        {
            "C.5", 256,
            [
                "4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32"
                    + "3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "4803 3330 37c1 c0bf",
                "88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 677a 6970"
                    + "7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 553b 206d 6178"
                    + "2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
            ],
            Responses
        },
        {
            "C.6", 256,
            [
                "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad"
                    + "1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
                "4883 640e ffc1 c0bf",
                "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2"
                    + "e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106"
                    + "3d50 07",
            ],
            Responses
        },
    };

    private static string[] Requests =>
    [
        ":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com",
        ":method=GET", ":scheme=http", ":path=/", ":authority=www.example.com", "cache-control=no-cache",
        ":method=GET", ":scheme=https", ":path=/index.html", ":authority=www.example.com", "custom-key=custom-value",
    ];

    private static string[] Responses =>
    [
        ":status=302", "cache-control=private", $"date={Date21}", "location=https://www.example.com",
        ":status=307", "cache-control=private", $"date={Date21}", "location=https://www.example.com",
        ":status=200", "cache-control=private", $"date={Date22}", "location=https://www.example.com",
        "content-encoding=gzip", $"set-cookie={Cookie}",
    ];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Decode_ExamplesOfTheStandard_GiveItsHeaders(string name, int table, string[] blocks, string[] headers)
    {
        var decoder = new HpackDecoder(table);
        var found = new HeaderList();
        foreach (var block in blocks)
        {
            decoder.Decode(Bytes(block), found);
        }

        Assert.True(headers.SequenceEqual(found.Fields.Select(f => $"{f.Name}={f.Value}")), name);
    }

    [Theory]
    [InlineData("0a", 5, 10)]
    [InlineData("1f9a0a", 5, 1337)]
    [InlineData("2a", 8, 42)]
    public void ReadInteger_ExamplesOfTheStandard_GiveTheirNumbers(string coded, int prefixBits, int number)
    {
        var position = 0;
        Assert.Equal(number, HpackDecoder.ReadInteger(Bytes(coded), ref position, prefixBits));
        Assert.Equal(coded.Length / 2, position);
    }

    [Theory]
    [InlineData("80")] // index 0
    [InlineData("be")] // an entry that the empty dynamic table does not have
    [InlineData("ffffffffffff7f")] // an integer beyond 31 bits
    [InlineData("400a6375")] // a string that is cut off
    [InlineData("40")] // nothing behind the mark
    [InlineData("3fe21f")] // a table larger than allowed
    [InlineData("8220")] // a change of size behind a header
    [InlineData("0481ff0161")] // nothing but padding is eight bits long
    [InlineData("0484ffffffff0161")] // the symbol for the end inside a string
    public void Decode_DamagedBlocks_EndTheConnection(string block)
    {
        var error = Assert.Throws<Http2Exception>(
            () => new HpackDecoder(4096).Decode(Bytes(block), new HeaderList()));
        Assert.Equal(Http2ErrorCode.CompressionError, error.Code);
    }

    [Fact]
    public void Decode_RandomBytes_ThrowNothingElse()
    {
        var random = new Random(7541);
        for (var round = 0; round < 20_000; round++)
        {
            var block = new byte[random.Next(1, 64)];
            random.NextBytes(block);
            try
            {
                new HpackDecoder(4096).Decode(block, new HeaderList());
            }
            catch (Http2Exception)
            {
                // The only way to refuse.
            }
        }
    }

    [Fact]
    public void DynamicTable_ManyEntries_KeepsTheNewestWithinItsBytes()
    {
        var table = new DynamicTable(256);
        for (var i = 0; i < 1000; i++)
        {
            table.Add(new HeaderField("name"u8, [(byte)i]));
            Assert.True(table.Bytes <= 256);
        }

        Assert.Equal(256 / 37, table.Count);
        Assert.Equal([unchecked((byte)999)], table.Get(0).Value.ToArray());
        Assert.Equal([unchecked((byte)994)], table.Get(5).Value.ToArray());
        table.Add(new HeaderField("name"u8, new byte[300]));
        Assert.Equal(0, table.Count);
    }

    [Fact]
    public void Decode_WhatTheWriterWrote_GivesTheSame()
    {
        var headers = new List<(string, string)>
        {
            ("grpc-timeout", "99999999n"), ("x-long", new string('v', 5000)), ("x-empty", ""),
        };
        var found = new HeaderList();
        new HpackDecoder(4096).Decode(HeaderList.Encode([.. headers]), found);
        Assert.Equal(headers, found.Fields);
    }

    private static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));
}
