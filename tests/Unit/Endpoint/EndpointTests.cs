// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;
using Xunit;

namespace Muster.Unit.Endpoint;

/// <summary>The endpoint seen from a plain HTTP/2 client, which can say what no gRPC client would.</summary>
public sealed class EndpointTests : IAsyncLifetime
{
    private const string UnaryPath = "/muster.test.Raw/Unary";
    private const string DuplexPath = "/muster.test.Raw/DuplexStreaming";
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource<bool> _handlerCancelled =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly HttpClient _http = new() { Timeout = s_timeout };
    private GrpcEndpoint _endpoint = null!;

    public async Task InitializeAsync()
    {
        _endpoint = new GrpcEndpoint(new EndpointOptions { Loopback = [new IPEndPoint(IPAddress.Loopback, 0)] })
            .Add(RawService.Answering(async (request, context) =>
            {
                if (request.Length == 1)
                {
                    using var registration = context.CancellationToken.Register(
                        () => _handlerCancelled.TrySetResult(true));
                    await Task.Delay(Timeout.Infinite, context.CancellationToken);
                }

                return request;
            }))
            .Add(RawService.Conversing(async (requests, responses, context) =>
            {
                while (await requests.MoveNext(CancellationToken.None))
                {
                    await responses.WriteAsync(requests.Current);
                }
            }));
        Assert.Equal(Fault.None, await _endpoint.StartAsync());
        _http.BaseAddress = new Uri(_endpoint.Addresses[0]);
    }

    public async Task DisposeAsync()
    {
        _http.Dispose();
        await _endpoint.DisposeAsync();
    }

    [Fact]
    public async Task Request_WithOtherContentType_Is415()
    {
        using var response = await SendAsync(UnaryPath, Message(2), "application/json");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData("application/grpc+proto")]
    [InlineData("application/grpc;charset=utf-8")]
    public async Task Request_WithLongerGrpcContentType_IsServed(string contentType)
    {
        using var response = await SendAsync(UnaryPath, Message(2), contentType);
        Assert.Equal("0", await StatusOfAsync(response));
    }

    [Fact]
    public async Task Request_ForGrpcWeb_Is415()
    {
        using var response = await SendAsync(UnaryPath, Message(2), "application/grpc-web");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Get_OfAnything_Is405()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, UnaryPath) { Version = HttpVersion.Version20 };
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var response = await _http.SendAsync(request);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
    }

    [Fact]
    public async Task UnknownPath_IsAnsweredByTrailersOnly()
    {
        using var response = await SendAsync("/no.such/Method", Message(2));
        Assert.Equal("12", response.Headers.GetValues("grpc-status").Single());
        Assert.Empty(await response.Content.ReadAsByteArrayAsync());
        Assert.Empty(response.TrailingHeaders);
    }

    [Fact]
    public async Task Deadline_OfClientThatWaitsOn_IsKeptByTheServer()
    {
        using var response = await SendAsync(UnaryPath, Message(1), timeout: "100m");
        Assert.Equal("4", await StatusOfAsync(response));
        Assert.True(await _handlerCancelled.Task.WaitAsync(s_timeout));
    }

    [Theory]
    [InlineData("99999999H", 2, "0")]
    [InlineData("soon", 2, "3")]
    [InlineData("123456789S", 2, "3")]
    public async Task Timeout_OddText_IsClampedOrRefused(string timeout, int bytes, string status)
    {
        using var response = await SendAsync(UnaryPath, Message(bytes), timeout: timeout);
        Assert.Equal(status, await StatusOfAsync(response));
    }

    [Fact]
    public async Task CompressedFlag_IsUnimplemented()
    {
        using var response = await SendAsync(UnaryPath, [1, 0, 0, 0, 1, 7]);
        Assert.Equal("12", await StatusOfAsync(response));
        Assert.Equal("identity", response.Headers.GetValues("grpc-accept-encoding").Single());
    }

    [Theory]
    [InlineData(new byte[] { })]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 9, 1, 2 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 })]
    public async Task UnaryBody_ThatIsNotOneMessage_IsInternal(byte[] body)
    {
        using var response = await SendAsync(UnaryPath, body);
        Assert.Equal("13", await StatusOfAsync(response));
    }

    [Fact]
    public async Task Prefix_OverTheLimit_IsRefusedBeforeTheMessageArrives()
    {
        using var body = new OpenContent([0, 0x7f, 0xff, 0xff, 0xff]);
        using var response = await SendAsync(DuplexPath, body).WaitAsync(s_timeout);
        Assert.Equal("8", await StatusOfAsync(response));
    }

    [Fact]
    public async Task Duplex_BeforeTheFirstMessage_HasSentHeaders()
    {
        using var body = new OpenContent([]);
        using var response = await SendAsync(DuplexPath, body).WaitAsync(s_timeout);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("grpc-status"));
        Assert.Equal(1, _endpoint.StreamCount);
        body.End();
        Assert.Equal("0", await StatusOfAsync(response));
    }

    private static byte[] Message(int length) => [0, 0, 0, 0, (byte)length, .. new byte[length]];

    private static async Task<string> StatusOfAsync(HttpResponseMessage response)
    {
        await response.Content.ReadAsByteArrayAsync().WaitAsync(s_timeout);
        var fields = response.TrailingHeaders.Contains("grpc-status") ? response.TrailingHeaders : response.Headers;
        return fields.GetValues("grpc-status").Single();
    }

    private Task<HttpResponseMessage> SendAsync(
        string path, byte[] body, string contentType = "application/grpc", string? timeout = null) =>
        SendAsync(path, new ByteArrayContent(body), contentType, timeout);

    private Task<HttpResponseMessage> SendAsync(
        string path, HttpContent body, string contentType = "application/grpc", string? timeout = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = body,
        };
        body.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        if (timeout is not null)
        {
            request.Headers.TryAddWithoutValidation("grpc-timeout", timeout);
        }

        return _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }
}
