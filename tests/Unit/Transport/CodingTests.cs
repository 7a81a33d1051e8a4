// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Muster.Transport.Protocol;
using Xunit;

namespace Muster.Unit.Transport;

public class CodingTests
{
    [Theory]
    [InlineData("plain text", "plain text")]
    [InlineData("100%", "100%25")]
    [InlineData("zwölf\n", "zw%C3%B6lf%0A")]
    [InlineData("", "")]
    public void Percent_Text_IsCodedAsPublished(string text, string coded)
    {
        Assert.Equal(coded, PercentCoding.Encode(text));
        Assert.Equal(text, PercentCoding.Decode(Encoding.ASCII.GetBytes(coded)));
    }

    [Theory]
    [InlineData("50%", "50%")]
    [InlineData("%4", "%4")]
    [InlineData("%zz%41", "%zzA")]
    [InlineData("%FF", "\ufffd")]
    [InlineData("%41", "A")]
    public void Percent_DamagedCode_StaysReadable(string coded, string text) =>
        Assert.Equal(text, PercentCoding.Decode(Encoding.ASCII.GetBytes(coded)));

    [Fact]
    public void Percent_AnyText_ComesBack() => Prop.ForAll<string>(text =>
    {
        var known = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));
        return PercentCoding.Decode(Encoding.ASCII.GetBytes(PercentCoding.Encode(known))) == known;
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(0L, "1n")]
    [InlineData(-5L, "1n")]
    [InlineData(1L, "100n")]
    [InlineData(10_000_000L, "1000000u")]
    [InlineData(9_999_999L, "1000000u")]
    [InlineData(36_000_000_000L, "3600000m")]
    [InlineData(long.MaxValue, "9999999S")]
    public void Timeout_Ticks_AreRoundedUpAndClamped(long ticks, string text) =>
        Assert.Equal(text, TimeoutCoding.Encode(TimeSpan.FromTicks(ticks)));

    [Theory]
    [InlineData("1H", 36_000_000_000L)]
    [InlineData("2M", 1_200_000_000L)]
    [InlineData("3S", 30_000_000L)]
    [InlineData("4m", 40_000L)]
    [InlineData("5u", 50L)]
    [InlineData("1n", 1L)]
    [InlineData("99999999H", 99_999_990_000_000L)]
    public void Timeout_Text_IsRead(string text, long ticks)
    {
        Assert.True(TimeoutCoding.TryDecode(text, out var timeout));
        Assert.Equal(ticks, timeout.Ticks);
    }

    [Theory]
    [InlineData("")]
    [InlineData("S")]
    [InlineData("1")]
    [InlineData("1s")]
    [InlineData("-1S")]
    [InlineData("+1S")]
    [InlineData(" 1S")]
    [InlineData("1.5S")]
    [InlineData("100000000S")]
    public void Timeout_OtherText_IsRefused(string text) => Assert.False(TimeoutCoding.TryDecode(text, out _));

    [Fact]
    public void Timeout_AnyTime_ComesBackNotShorterAndHardlyLonger() => Prop.ForAll<long>(seed =>
    {
        var timeout = TimeSpan.FromTicks(Math.Abs(seed % TimeoutCoding.Longest.Ticks) + 1);
        return TimeoutCoding.TryDecode(TimeoutCoding.Encode(timeout), out var read)
            && read >= timeout && (read - timeout).Ticks <= timeout.Ticks / 1_000 + 10;
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("AAEC", "000102")]
    [InlineData("AAE=", "0001")]
    [InlineData("AAE", "0001")]
    [InlineData("", "")]
    public void Binary_PaddedOrNot_IsRead(string coded, string hex)
    {
        var values = new List<byte[]>();
        Assert.True(BinaryCoding.TryDecode(Encoding.ASCII.GetBytes(coded), values));
        Assert.Equal(hex, Convert.ToHexString(Assert.Single(values)));
    }

    [Fact]
    public void Binary_JoinedValues_AreTakenApart()
    {
        var values = new List<byte[]>();
        Assert.True(BinaryCoding.TryDecode("AAE=, AAEC"u8, values));
        Assert.Equal(["0001", "000102"], values.ConvertAll(Convert.ToHexString));
    }

    [Theory]
    [InlineData("A")]
    [InlineData("AA*A")]
    [InlineData("AAECB")]
    public void Binary_OtherText_IsRefused(string coded) =>
        Assert.False(BinaryCoding.TryDecode(Encoding.ASCII.GetBytes(coded), []));

    [Fact]
    public void Binary_AnyBytes_ComeBack() => Prop.ForAll<byte[]>(bytes =>
    {
        var values = new List<byte[]>();
        return BinaryCoding.TryDecode(Encoding.ASCII.GetBytes(BinaryCoding.Encode(bytes ?? [])), values)
            && values[0].AsSpan().SequenceEqual(bytes ?? []);
    }).QuickCheckThrowOnFailure();
}
