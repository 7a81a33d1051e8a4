// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using Grpc.Core;
using Muster.Transport;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Transport;

public class GrpcTypesTests
{
    [Fact]
    public void Metadata_Keys_AreLoweredAndChecked()
    {
        var metadata = new Metadata { { "X-Key", "a" }, { "x-key", "b" }, { "x-b-bin", [1, 2] } };
        Assert.Equal("b", metadata.GetValue("x-KEY"));
        Assert.Equal(["a", "b"], metadata.GetAll("x-key").Select(entry => entry.Value));
        Assert.Equal([1, 2], metadata.GetValueBytes("x-b-bin"));
        Assert.Null(metadata.Get("absent"));
        Assert.Throws<ArgumentException>(() => metadata.Add("no space", "a"));
        Assert.Throws<ArgumentException>(() => metadata.Add("x-b-bin", "text"));
        Assert.Throws<ArgumentException>(() => metadata.Add("x-text", new byte[1]));
        Assert.Throws<InvalidOperationException>(() => Metadata.Empty.Add("a", "b"));
    }

    [Fact]
    public void ServiceDefinition_Bound_TellsEveryMethodWithItsKind()
    {
        var binder = new RecordingBinder();
        SubmissionService.BindService(new Service()).BindService(binder);
        Assert.Equal(
            SubmissionService.Descriptor.Methods.Select(method => method.Name), binder.Methods.Select(m => m.Name));
        Assert.Equal(MethodType.DuplexStreaming, binder.Methods.Single(m => m.Name == "Session").Type);
    }

    [Fact]
    public void RichStatus_Written_IsReadFromTheTrailers()
    {
        var error = RichStatus.ToException(
            StatusCode.ResourceExhausted, "full", "ARENA_FULL", "muster", TimeSpan.FromMilliseconds(250));
        Assert.True(RichStatus.TryRead(error, out var status));
        Assert.Equal(StatusCode.ResourceExhausted, status.Code);
        Assert.Equal("full", status.Message);
        Assert.Equal("ARENA_FULL", status.Error!.Reason);
        Assert.Equal("muster", status.Error.Domain);
        Assert.Equal(TimeSpan.FromMilliseconds(250), status.RetryAfter);
        Assert.Null(status.BadRequest);
    }

    [Fact]
    public void RichStatus_AbsentOrDamaged_IsNone()
    {
        Assert.False(RichStatus.TryRead(new Metadata(), out _));
        Assert.False(RichStatus.TryRead(new Metadata { { RichStatus.TrailerName, [0xff, 0xff] } }, out _));
    }

    [Theory]
    [InlineData("unix:/run/a.sock", "localhost", false)]
    [InlineData("unix:///run/a.sock", "localhost", false)]
    [InlineData("http://127.0.0.1:80", "127.0.0.1", false)]
    [InlineData("http://[::1]:7000", "[::1]:7000", false)]
    [InlineData("https://example.test:443", "example.test", true)]
    public void ChannelAddress_Known_IsRead(string text, string authority, bool secure)
    {
        var address = ChannelAddress.Parse(text);
        Assert.Equal(authority, address.Authority);
        Assert.Equal(secure, address.IsSecure);
    }

    [Theory]
    [InlineData("")]
    [InlineData("unix:")]
    [InlineData("unix:relative")]
    [InlineData("localhost:80")]
    [InlineData("ftp://a:1")]
    [InlineData("http://a:1/path")]
    [InlineData("http://user@a:1")]
    public void ChannelAddress_Other_IsRefused(string text) => Assert.False(ChannelAddress.TryParse(text, out _));

    [Fact]
    public void ChannelAddress_SocketPathTooLong_IsRefused() =>
        Assert.False(ChannelAddress.TryParse("unix:/" + new string('a', 200), out _));

    [Fact]
    public void Backoff_Grows_WithinItsJitterUpToTheLimit()
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(20), TimeSpan.FromSeconds(5), new Random(1));
        var expected = 20.0;
        for (var i = 0; i < 30; i++)
        {
            Assert.InRange(backoff.Next().TotalMilliseconds, (expected * 0.8) - 1, (expected * 1.2) + 1);
            expected = Math.Min(expected * 1.6, 5000);
        }

        backoff.Reset();
        Assert.InRange(backoff.Next().TotalMilliseconds, 15, 25);
    }

    private sealed class Service : SubmissionService.SubmissionServiceBase;
}
