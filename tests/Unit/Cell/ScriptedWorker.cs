// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.V1;

namespace Muster.Unit.Cell;

/// <summary>
/// A worker that does only what a test tells it, by the generated classes: as one in another language would.
/// </summary>
internal sealed class ScriptedWorker : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly GrpcChannel _channel;
    private AsyncDuplexStreamingCall<HeartbeatRequest, HeartbeatResponse>? _heartbeat;
    private AsyncDuplexStreamingCall<DispatchRequest, DispatchResponse>? _dispatch;
    private ulong _numbers;

    public ScriptedWorker(string address) => _channel = GrpcChannel.ForAddress(address);

    public ulong Id { get; private set; }

    public static RegisterHello Hello(ulong nonce, uint slots = 2) => new()
    {
        WireVersion = 1,
        Nonce = nonce,
        Name = $"scripted-{nonce}",
        Slots = slots,
        Handlers = { "work" },
        Host = "here",
    };

    /// <summary>Opens both streams.</summary>
    public async Task<RegisterWelcome> StartAsync(RegisterHello hello)
    {
        var welcome = await RegisterAsync(hello);
        await DispatchAsync(new DispatchHello { WireVersion = 1, WorkerId = welcome.WorkerId, Nonce = hello.Nonce });
        return welcome;
    }

    public async Task<RegisterWelcome> RegisterAsync(RegisterHello hello)
    {
        _heartbeat = new RegistryService.RegistryServiceClient(_channel.CreateCallInvoker()).Heartbeat();
        await _heartbeat.RequestStream.WriteAsync(new HeartbeatRequest { Hello = hello });
        var welcome = (await AnswerAsync()).Welcome;
        Id = welcome.WorkerId;
        return welcome;
    }

    public async Task DispatchAsync(DispatchHello hello)
    {
        _dispatch = new DispatchService.DispatchServiceClient(_channel.CreateCallInvoker()).Dispatch();
        await _dispatch.RequestStream.WriteAsync(new DispatchRequest { Hello = hello });
    }

    public async Task<HeartbeatResponse> BeatAsync(HeartbeatRequest beat)
    {
        await _heartbeat!.RequestStream.WriteAsync(beat);
        return await AnswerAsync();
    }

    /// <summary>The next message of the Scheduler.</summary>
    public async Task<DispatchResponse> AssignedAsync() => await ReadAsync(_dispatch!.ResponseStream);

    /// <summary>The status with which the Dispatch stream ends.</summary>
    public Task<StatusCode> DispatchEndAsync() => EndOfAsync(_dispatch!.ResponseStream);

    /// <summary>The status with which the Heartbeat stream ends.</summary>
    public Task<StatusCode> HeartbeatEndAsync() => EndOfAsync(_heartbeat!.ResponseStream);

    /// <summary>A beat that the server has no answer to.</summary>
    public Task SayAsync(HeartbeatRequest beat) => _heartbeat!.RequestStream.WriteAsync(beat);

    public Task<HeartbeatResponse> FailAsync(Assignment assignment, TaskError error) =>
        BeatAsync(new HeartbeatRequest
        {
            EndedTotal = _numbers + 1,
            Results =
            {
                new AttemptResult
                {
                    TaskId = assignment.TaskId,
                    Attempt = assignment.Attempt,
                    Outcome = V1.Outcome.Failed,
                    Error = error,
                    RanUs = 1_000,
                    ResultNumber = ++_numbers,
                },
            },
        });

    public Task<HeartbeatResponse> SucceedAsync(Assignment assignment, string output) =>
        BeatAsync(Success(assignment, output));

    /// <summary>Reports a result and does not wait for an answer.</summary>
    public Task ReportAsync(Assignment assignment, string output) =>
        _heartbeat!.RequestStream.WriteAsync(Success(assignment, output));

    /// <summary>The next message of the Register.</summary>
    public Task<HeartbeatResponse> AnswerAsync() => ReadAsync(_heartbeat!.ResponseStream);

    public async ValueTask DisposeAsync()
    {
        _heartbeat?.Dispose();
        _dispatch?.Dispose();
        await _channel.DisposeAsync();
    }

    private HeartbeatRequest Success(Assignment assignment, string output) => new()
    {
        EndedTotal = _numbers + 1,
        Results =
        {
            new AttemptResult
            {
                TaskId = assignment.TaskId,
                Attempt = assignment.Attempt,
                Outcome = V1.Outcome.Succeeded,
                Output = Google.Protobuf.ByteString.CopyFromUtf8(output),
                ResultNumber = ++_numbers,
            },
        },
    };

    private static async Task<T> ReadAsync<T>(IAsyncStreamReader<T> stream)
    {
        using var over = new CancellationTokenSource(s_patience);
        return await stream.MoveNext(over.Token)
            ? stream.Current
            : throw new InvalidOperationException("the stream has ended");
    }

    private static async Task<StatusCode> EndOfAsync<T>(IAsyncStreamReader<T> stream)
    {
        using var over = new CancellationTokenSource(s_patience);
        try
        {
            while (await stream.MoveNext(over.Token))
            {
                // What was still under way is of no interest here.
            }

            return StatusCode.OK;
        }
        catch (RpcException end)
        {
            return end.StatusCode;
        }
    }
}
