// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.Unit.Endpoint;
using Xunit;

namespace Muster.Unit.Http2;

/// <summary>
/// A server with an echo of each kind and a stream whose handler never reads, for clients that speak frames.
/// </summary>
public sealed class ConformanceServer : IAsyncLifetime
{
    public const string Unary = "/muster.test.Raw/Unary";
    public const string Duplex = "/muster.test.Raw/DuplexStreaming";
    public const string Deaf = "/muster.test.Deaf/Hold";

    private static readonly Method<RawMessage, RawMessage> s_deaf = new(
        MethodType.DuplexStreaming, "muster.test.Deaf", "Hold", RawMethods.RawMarshaller, RawMethods.RawMarshaller);

    private GrpcEndpoint _endpoint = null!;

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal int StreamsMax { get; init; } = 100;

    public int Port => new Uri(_endpoint.Addresses[0]).Port;

    public string Address => _endpoint.Addresses[0];

    internal int StreamCount => _endpoint.StreamCount;

    public async Task InitializeAsync()
    {
        _endpoint = new GrpcEndpoint(new EndpointOptions
        {
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            StreamsPerConnectionMax = StreamsMax,
            Time = Time,
        });
        _endpoint.Add(RawService.Answering(RawService.EchoAsync));
        _endpoint.Add(RawService.Conversing(EchoAsync));
        _endpoint.Add(ServerServiceDefinition.CreateBuilder().AddMethod(s_deaf, HoldAsync).Build());
        Assert.Equal(Fault.None, await _endpoint.StartAsync());
    }

    public async Task DisposeAsync() => await _endpoint.StopAsync(TimeSpan.Zero);

    internal Task StopAsync(TimeSpan grace) => _endpoint.StopAsync(grace);

    private static async Task EchoAsync(
        IAsyncStreamReader<RawMessage> requests, IServerStreamWriter<RawMessage> responses, ServerCallContext context)
    {
        while (await requests.MoveNext(CancellationToken.None))
        {
            await responses.WriteAsync(requests.Current);
        }
    }

    private static Task HoldAsync(
        IAsyncStreamReader<RawMessage> requests,
        IServerStreamWriter<RawMessage> responses,
        ServerCallContext context) =>
        Task.Delay(Timeout.Infinite, context.CancellationToken);
}
