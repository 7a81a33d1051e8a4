// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.IO;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// A call with the types of its messages: also the request stream and the response stream that its handler is given.
/// Reading and writing may go on at the same time; each by one caller at a time. A message that has already arrived and
/// a write that the connection takes at once cost no allocation.
/// </summary>
internal sealed class GrpcCall<TRequest, TResponse>(
    CallHandler<TRequest, TResponse> handler, IFeatureCollection features, GrpcApplication application)
    : GrpcCall(handler, features, application), IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>
    where TRequest : class
    where TResponse : class
{
    private static readonly Task<bool> s_found = Task.FromResult(true);

    private readonly ReceivedMessage _received = new();
    private ResponseBuffer? _response;

    public TRequest Current { get; private set; } = null!;

    WriteOptions? IAsyncStreamWriter<TResponse>.WriteOptions
    {
        get => WriteOptionsCore;
        set => WriteOptionsCore = value;
    }

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        if (Reader.TryTake(out var payload))
        {
            Current = Deserialize(payload);
            return s_found;
        }

        return MoveNextAsync(cancellationToken);
    }

    public Task WriteAsync(TResponse message)
    {
        ThrowIfEnded();
        var started = EnsureStarted();
        if (!started.IsCompletedSuccessfully)
        {
            return WriteWhenStartedAsync(started, message);
        }

        Serialize(message);
        if (WriteOptionsCore is { } options && (options.Flags & WriteFlags.BufferHint) != 0)
        {
            return Task.CompletedTask;
        }

        var flush = Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            return FlushedAsync(flush);
        }

        Check(flush.Result);
        return Task.CompletedTask;
    }

    public async Task WriteAsync(TResponse message, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await using var registration = cancellationToken.UnsafeRegister(
            static call => ((GrpcCall)call!).EndWith(CallFailures.Cancelled()), this);
        await WriteAsync(message).ConfigureAwait(false);
    }

    /// <summary>The one request of a call that has one; also waits for the peer's half-close.</summary>
    public async Task<TRequest> ReadOnlyRequestAsync()
    {
        if (!await MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "The request holds no message."));
        }

        var request = Current;
        if (await MoveNext(CancellationToken.None).ConfigureAwait(false))
        {
            throw new RpcException(new Status(StatusCode.Internal, "The request holds more than one message."));
        }

        return request;
    }

    /// <summary>The one response of a call that has one; it goes out together with the status.</summary>
    public void WriteOnlyResponse(TResponse? response)
    {
        if (StatusCore.StatusCode != StatusCode.OK)
        {
            return;
        }

        Invariant.That(response is not null);
        ThrowIfEnded();
        _ = EnsureStarted();
        Serialize(response);
    }

    protected override Task ServeAsync() => handler.ServeAsync(this);

    private async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.CanBeCanceled
            ? cancellationToken.UnsafeRegister(static reader => ((MessageReader)reader!).Wake(), Reader)
            : default;
        while (!Reader.IsAtEnd())
        {
            var read = Reader.ReadAsync();
            if (!read.IsCompleted && handler.Type == MethodType.DuplexStreaming && !HeadersSent)
            {
                // Clients built on HttpClient send nothing before they have seen the response headers.
                await SendHeadersAsync().ConfigureAwait(false);
            }

            var result = await ReadSafelyAsync(read).ConfigureAwait(false);
            Reader.Accept(result);
            ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            if (Reader.TryTake(out var payload))
            {
                Current = Deserialize(payload);
                return true;
            }
        }

        return false;
    }

    // A peer that went away surfaces as one of several exceptions of Kestrel; handlers see one.
    private async ValueTask<ReadResult> ReadSafelyAsync(ValueTask<ReadResult> read)
    {
        try
        {
            return await read.ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            throw PeerGone();
        }
    }

    private TRequest Deserialize(in ReadOnlySequence<byte> payload)
    {
        _received.Show(payload);
        return handler.Method.RequestMarshaller.ContextualDeserializer(_received);
    }

    private void Serialize(TResponse message)
    {
        _response ??= new ResponseBuffer(Output, EndpointLimits.MessageBytesMax);
        _response.Begin();
        handler.Method.ResponseMarshaller.ContextualSerializer(message, _response);
        _response.End();
    }

    private async Task WriteWhenStartedAsync(Task started, TResponse message)
    {
        await started.ConfigureAwait(false);
        await WriteAsync(message).ConfigureAwait(false);
    }

    private async Task FlushedAsync(ValueTask<FlushResult> flush) => Check(await flush.ConfigureAwait(false));

    private void Check(in FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            throw PeerGone();
        }
    }
}
