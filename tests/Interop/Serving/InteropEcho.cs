// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Interop.V1;
using Muster.Server.Endpoint;

namespace Muster.Interop.Serving;

/// <summary>Our side of the interop service; does the same as its Python and Node twins.</summary>
internal sealed class InteropEcho : InteropService.InteropServiceBase
{
    private static readonly TimeSpan s_observeTimeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, TaskCompletionSource<ObserveResponse>> _observed = new();

    public override async Task<Answer> Echo(Ask request, ServerCallContext context)
    {
        using var observation = Observe(request.Key, context);
        FailAsAsked(request.Key);
        await EchoMetadataAsync(context);
        await Task.Delay((int)request.DelayMs, context.CancellationToken);
        Finish(request);
        return new Answer
        {
            Body = request.AnswerBytes > 0 ? Zeroes((int)request.AnswerBytes) : request.Body,
        };
    }

    public override async Task Pour(Ask request, IServerStreamWriter<Answer> responseStream, ServerCallContext context)
    {
        using var observation = Observe(request.Key, context);
        await EchoMetadataAsync(context);
        var body = Zeroes((int)request.AnswerBytes);
        for (var number = 0u; number < request.Count; number++)
        {
            await responseStream.WriteAsync(new Answer { Body = body, Count = number });
            if (request.DelayMs > 0)
            {
                await Task.Delay((int)request.DelayMs, context.CancellationToken);
            }
        }

        Finish(request);
    }

    public override async Task<Answer> Collect(IAsyncStreamReader<Ask> requestStream, ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        var answer = new Answer();
        while (await requestStream.MoveNext(CancellationToken.None))
        {
            answer.Count++;
            answer.Bytes += (ulong)requestStream.Current.Body.Length;
            Finish(requestStream.Current);
        }

        return answer;
    }

    public override async Task Converse(
        IAsyncStreamReader<Ask> requestStream, IServerStreamWriter<Answer> responseStream, ServerCallContext context)
    {
        await EchoMetadataAsync(context);
        var count = 0u;
        IDisposable? observation = null;
        try
        {
            while (await requestStream.MoveNext(CancellationToken.None))
            {
                var ask = requestStream.Current;
                observation ??= Observe(ask.Key, context);
                Finish(ask);
                await Task.Delay((int)ask.DelayMs, context.CancellationToken);
                await responseStream.WriteAsync(new Answer { Body = ask.Body, Count = count++ });
            }
        }
        finally
        {
            observation?.Dispose();
        }

        await responseStream.WriteAsync(new Answer { Count = count, Bytes = count + 1 });
    }

    public override Task<ObserveResponse> Observe(ObserveRequest request, ServerCallContext context) =>
        ObservedAsync(request.Key);

    /// <summary>What was seen of the call with the key, once it has ended.</summary>
    public Task<ObserveResponse> ObservedAsync(string key) => SignalOf(key).Task.WaitAsync(s_observeTimeout);

    private static async Task EchoMetadataAsync(ServerCallContext context)
    {
        var headers = new Metadata();
        foreach (var entry in context.RequestHeaders)
        {
            if (!entry.Key.StartsWith("x-echo-", StringComparison.Ordinal))
            {
                continue;
            }

            headers.Add(entry);
            var trailer = "x-trail-" + entry.Key["x-echo-".Length..];
            context.ResponseTrailers.Add(entry.IsBinary
                ? new Metadata.Entry(trailer, entry.ValueBytes)
                : new Metadata.Entry(trailer, entry.Value));
        }

        if (headers.Count > 0)
        {
            await context.WriteResponseHeadersAsync(headers);
        }
    }

    private static void Finish(Ask ask)
    {
        if (ask.Status != 0)
        {
            throw new RpcException(new Status((StatusCode)ask.Status, ask.Message));
        }
    }

    private static void FailAsAsked(string key)
    {
        switch (key)
        {
            case "fault":
                throw FaultStatus.ToException(new Fault(FaultCode.ArenaFull, "the arena is full", RetryAfterMs: 1500));
            case "crash":
                throw new InvalidOperationException("a secret of the server");
            case "invariant":
                Invariant.That(key.Length == 0);
                break;
            default:
                break;
        }
    }

    private static ByteString Zeroes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);

    private TaskCompletionSource<ObserveResponse> SignalOf(string key) => _observed.GetOrAdd(
        key, static _ => new TaskCompletionSource<ObserveResponse>(TaskCreationOptions.RunContinuationsAsynchronously));

    private Observation Observe(string key, ServerCallContext context) =>
        new(key.Length == 0 ? null : SignalOf(key), context);

    /// <summary>Ends with the handler.</summary>
    private sealed class Observation(TaskCompletionSource<ObserveResponse>? signal, ServerCallContext context)
        : IDisposable
    {
        private readonly uint _timeoutMs = context.Deadline == DateTime.MaxValue
            ? 0
            : (uint)Math.Max(0, (context.Deadline - DateTime.UtcNow).TotalMilliseconds);

        public void Dispose() => signal?.TrySetResult(new ObserveResponse
        {
            Ended = true,
            Cancelled = context.CancellationToken.IsCancellationRequested,
            TimeoutMs = _timeoutMs,
        });
    }
}
