// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Transport.Hpack;
using Xunit;

namespace Muster.Unit.Transport;

public class HuffmanCodingTests
{
    [Theory]
    [InlineData("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com")]
    [InlineData("a8eb10649cbf", "no-cache")]
    [InlineData("6402", "302")]
    [InlineData("9bd9ab", "gzip")]
    [InlineData("", "")]
    public void Decode_KnownCodes_GiveTheirText(string coded, string text)
    {
        var plain = new byte[HuffmanCoding.DecodedLengthMax(coded.Length / 2)];
        var length = HuffmanCoding.Decode(Convert.FromHexString(coded), plain);
        Assert.Equal(text, Encoding.ASCII.GetString(plain, 0, length));
    }

    [Theory]
    [InlineData("ff")]
    [InlineData("f1e3c2e5f23a6ba0ab90f400")]
    [InlineData("fffffffc")]
    public void Decode_WrongPaddingOrEnd_IsRefused(string coded) =>
        Assert.Equal(-1, HuffmanCoding.Decode(Convert.FromHexString(coded), new byte[64]));
}
