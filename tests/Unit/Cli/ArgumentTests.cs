// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Muster.Cli;
using Muster.Cli.Arguments;
using Xunit;

namespace Muster.Unit.Cli;

public class ArgumentTests
{
    [Fact]
    public void SplitArguments_Inputs_AreNeverOptions()
    {
        var split = SplitArguments.Of(["map", "x {}", ":::", "-rf", "--help", ":::", "a"]);

        Assert.Equal(["map", "x {}"], split.Options);
        Assert.Equal(["-rf", "--help", ":::", "a"], split.Inputs!);
        Assert.Null(SplitArguments.Of(["map", "x"]).Inputs);
    }

    [Theory]
    [InlineData("500ms", 500)]
    [InlineData("30s", 30_000)]
    [InlineData("2", 2_000)]
    [InlineData("1.5m", 90_000)]
    [InlineData("2h", 7_200_000)]
    public void Duration_WithUnit_IsRead(string text, double milliseconds)
    {
        Assert.True(SharedOptions.TryParseDuration(text, out var duration));
        Assert.Equal(milliseconds, duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("0s")]
    [InlineData("-1s")]
    [InlineData("5d")]
    [InlineData("1e3s")]
    [InlineData("721h")]
    public void Duration_OutOfRangeOrMisspelt_IsRefused(string text) =>
        Assert.False(SharedOptions.TryParseDuration(text, out _));

    [Theory]
    [InlineData("1048576", 1 << 20)]
    [InlineData("64M", 64 << 20)]
    [InlineData("3KiB", 3 << 10)]
    [InlineData("1g", 1 << 30)]
    public void Bytes_WithUnit_AreRead(string text, long bytes) =>
        Assert.Equal(bytes, SharedOptions.ParseBytes("--x", text));

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.5M")]
    [InlineData("99999999999G")]
    public void Bytes_Misspelt_AreRefused(string text) =>
        Assert.Throws<UsageException>(() => SharedOptions.ParseBytes("--x", text));

    [Theory]
    [InlineData("127.0.0.1:7070", "127.0.0.1:7070")]
    [InlineData("127.8.9.1:1", "127.8.9.1:1")]
    [InlineData("[::1]:7070", "[::1]:7070")]
    [InlineData("localhost:7070", "127.0.0.1:7070")]
    public void Bind_Loopback_IsTaken(string text, string endpoint) =>
        Assert.Equal(endpoint, SharedOptions.ParseBind(text).ToString());

    [Theory]
    [InlineData("0.0.0.0:7070")]
    [InlineData("[::]:7070")]
    [InlineData("10.1.2.3:7070")]
    public void Bind_AnyOther_IsTakenAndJudgedWithTheRest(string text) =>
        Assert.Equal(text, SharedOptions.ParseBind(text).ToString());

    [Theory]
    [InlineData("7070")]
    [InlineData("example.org:7070")]
    public void Bind_NoEndpoint_IsAUsageError(string text) =>
        Assert.Throws<UsageException>(() => SharedOptions.ParseBind(text));

    [Theory]
    [InlineData("a\nb\n\nc", '\n', "a|b||c")]
    [InlineData("a\r\nb\r\n", '\n', "a|b")]
    [InlineData("a\nb\0c\0", '\0', "a\nb|c")]
    [InlineData("", '\n', "")]
    public async Task InputLines_Stream_GivesEachInput(string text, char separator, string expected)
    {
        var inputs = new List<string>();
        var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        await foreach (var input in InputLines.ReadAsync(stream, separator, CancellationToken.None))
        {
            inputs.Add(input);
        }

        Assert.Equal(expected, string.Join('|', inputs));
    }

    [Fact]
    public async Task InputLines_LongLinesOverBufferEdges_StayWhole()
    {
        var first = new string('x', 20_000);
        var stream = new MemoryStream(Encoding.UTF8.GetBytes(first + "\n\u00e9\n"));
        var inputs = new List<string>();
        await foreach (var input in InputLines.ReadAsync(stream, '\n', CancellationToken.None))
        {
            inputs.Add(input);
        }

        Assert.Equal([first, "\u00e9"], inputs);
    }

    [Fact]
    public async Task InputLines_Cancelled_EndsQuietlyThoughThePipeIsSilent()
    {
        using var cancel = new CancellationTokenSource();
        var pipe = new System.IO.Pipelines.Pipe();
        var lines = InputLines.ReadAsync(pipe.Reader.AsStream(), '\n', cancel.Token).GetAsyncEnumerator();
        await pipe.Writer.WriteAsync("one\n"u8.ToArray());
        Assert.True(await lines.MoveNextAsync());
        var next = lines.MoveNextAsync();

        await cancel.CancelAsync();

        Assert.False(await next.AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
    }
}
