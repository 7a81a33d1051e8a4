// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint.Access;
using Muster.Server.Http2;

namespace Muster.Server.Endpoint;

/// <summary>
/// A call with the types of its messages: also the request stream and the response stream that its handler is given.
/// Reading and writing may go on at the same time; each by one caller at a time. A message that has already arrived and
/// a write that the connection takes at once cost no allocation.
/// </summary>
internal sealed class GrpcCall<TRequest, TResponse>(
    CallHandler<TRequest, TResponse> handler, ServerStream stream, RequestHead head, CallRouter router, Caller caller)
    : GrpcCall(handler, stream, head, router, caller), IAsyncStreamReader<TRequest>, IServerStreamWriter<TResponse>
    where TRequest : class
    where TResponse : class
{
    // Messages that a handler wants gathered are sent all the same when they are as much as this.
    private const int GatheredBytesMax = 64 * 1_024;

    private static readonly Task<bool> s_found = Task.FromResult(true);

    private readonly ReceivedMessage _received = new();
    private readonly ResponseBuffer _response = new(EndpointLimits.MessageBytesMax);
    private Task _written = Task.CompletedTask;

    public TRequest Current { get; private set; } = null!;

    WriteOptions? IAsyncStreamWriter<TResponse>.WriteOptions
    {
        get => WriteOptionsCore;
        set => WriteOptionsCore = value;
    }

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        return TryTake() ? s_found : MoveNextAsync(cancellationToken);
    }

    public Task WriteAsync(TResponse message)
    {
        ThrowIfEnded();
        Serialize(message);
        if (WriteOptionsCore is { } options && (options.Flags & WriteFlags.BufferHint) != 0
            && _response.Written.Length < GatheredBytesMax)
        {
            return Task.CompletedTask;
        }

        var written = Stream.Connection.WriteAsync(Stream, _response.Written);
        if (!written.IsCompletedSuccessfully)
        {
            return _written = WrittenAsync(written);
        }

        Check(written.Result);
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
        Serialize(response);
    }

    protected override Task ServeAsync() => handler.ServeAsync(this);

    protected override Task WrittenAsync() => _written;

    protected override byte[]? TakeResponse(out int length) => _response.Detach(out length);

    private async Task<bool> MoveNextAsync(CancellationToken cancellationToken)
    {
        // The call's own token ends its reads without being asked.
        using var registration = cancellationToken.CanBeCanceled && !IsOwn(cancellationToken)
            ? cancellationToken.UnsafeRegister(static stream => ((ServerStream)stream!).Wake(), Stream)
            : default;
        while (!Stream.IsAtEnd())
        {
            var wait = Stream.WaitAsync();
            if (!wait.IsCompleted && handler.Type == MethodType.DuplexStreaming && !HeadersSent)
            {
                // Clients built on HttpClient send nothing before they have seen the response headers.
                Stream.Connection.SendHeaders(Stream, ResponseBlocks.Headers);
            }

            if (!await wait.ConfigureAwait(false))
            {
                throw PeerGone();
            }

            ThrowIfEnded();
            cancellationToken.ThrowIfCancellationRequested();
            if (TryTake())
            {
                return true;
            }
        }

        return false;
    }

    private bool TryTake()
    {
        if (!Stream.TryTake(out var message, out var length))
        {
            return false;
        }

        _received.Show(message, length);
        try
        {
            Current = handler.Method.RequestMarshaller.ContextualDeserializer(_received);
        }
        finally
        {
            _received.Release();
        }

        return true;
    }

    private void Serialize(TResponse message)
    {
        var isDone = false;
        _response.Begin();
        try
        {
            handler.Method.ResponseMarshaller.ContextualSerializer(message, _response);
            _response.End();
            isDone = true;
        }
        finally
        {
            if (!isDone)
            {
                _response.TakeBack();
            }
        }
    }

    private async Task WrittenAsync(ValueTask<FlushResult> written) => Check(await written.ConfigureAwait(false));

    private void Check(in FlushResult result)
    {
        _response.Clear();
        if (result.IsCompleted || result.IsCanceled)
        {
            throw PeerGone();
        }
    }
}
