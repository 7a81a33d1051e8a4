// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Grpc.Health.V1;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.Unit.Http2;
using Xunit;

namespace Muster.Unit.Endpoint;

/// <summary>Calls that come before what they need is there.</summary>
public sealed class CallGateTests : IDisposable
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-gate-");
    private readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Call_BeforeTheServicesAreReady_IsServedOnceTheyAre()
    {
        await using var endpoint = await StartAsync();
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        var invoker = channel.CreateCallInvoker();
        var answer = invoker.AsyncUnaryCall(RawService.Unary, null, default, RawMessage.Copy([7]));

        // Answered at once, so whatever came before it is waiting by now.
        var health = new Health.HealthClient(invoker);
        var status = await health.CheckAsync(new HealthCheckRequest()).ResponseAsync.WaitAsync(s_timeout);
        Assert.Equal(HealthCheckResponse.Types.ServingStatus.Serving, status.Status);
        Assert.False(_begun.Task.IsCompleted);
        Assert.False(answer.ResponseAsync.IsCompleted);

        endpoint.LetCallsIn();
        using var message = await answer.ResponseAsync.WaitAsync(s_timeout);
        Assert.Equal((byte[])[7], message.Span.ToArray());
        Assert.True(_begun.Task.IsCompleted);
    }

    [Fact]
    public async Task Call_OfServicesThatAreNeverReady_IsLetThroughAfterAWhile()
    {
        var time = new FakeTime();
        await using var endpoint = await StartAsync(time);
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        var answer = channel.CreateCallInvoker().AsyncUnaryCall(RawService.Unary, null, default, RawMessage.Copy([7]));
        Assert.False(_begun.Task.IsCompleted);
        time.Advance(EndpointLimits.HeldCallTimeout);
        using var message = await answer.ResponseAsync.WaitAsync(s_timeout);
        Assert.Equal((byte[])[7], message.Span.ToArray());
    }

    [Fact]
    public async Task Stop_WhileACallWaits_EndsIt()
    {
        var endpoint = await StartAsync();
        await using var channel = GrpcChannel.ForAddress(endpoint.Addresses[0]);
        using var call = channel.CreateCallInvoker().AsyncDuplexStreamingCall(RawService.Duplex, null, default);
        await call.RequestStream.WriteAsync(RawMessage.Copy([1]));
        await endpoint.StopAsync(TimeSpan.FromSeconds(5)).WaitAsync(s_timeout);
        var failure = await Assert.ThrowsAsync<RpcException>(
            () => call.ResponseStream.MoveNext(CancellationToken.None).WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    private async Task<GrpcEndpoint> StartAsync(TimeProvider? time = null)
    {
        var endpoint = new GrpcEndpoint(new EndpointOptions
        {
            SocketPath = Path.Combine(_folder.FullName, "e.sock"),
            HoldsCalls = true,
            Time = time ?? TimeProvider.System,
        });
        endpoint.Add(RawService.Answering((request, _) =>
        {
            _begun.TrySetResult();
            return Task.FromResult(request);
        }));
        endpoint.Add(RawService.Conversing(async (requests, _, context) =>
        {
            while (await requests.MoveNext(context.CancellationToken))
            {
                requests.Current.Dispose();
            }
        }));
        var fault = await endpoint.StartAsync();
        Assert.True(fault.IsNone, fault.Message);
        return endpoint;
    }
}
