// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>
/// A call with its message types: the request stream's writer, the response stream's reader, or the single response.
/// Unread responses wait in a queue, bounded by the stream's receive window.
/// </summary>
internal sealed partial class TypedCall<TRequest, TResponse> : ClientCall
    where TRequest : class
    where TResponse : class
{
    private readonly Method<TRequest, TResponse> _method;
    private readonly TaskCompletionSource<TResponse>? _response;
    private readonly bool _streamsRequests;
    private TResponse? _single;

    public TypedCall(GrpcChannel channel, Method<TRequest, TResponse> method, in CallOptions options)
        : base(channel, method, options)
    {
        _method = method;
        _streamsRequests = method.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming;
        _readSource.RunContinuationsAsynchronously = !channel.Options.InlineCompletions;
        WriteOptions = options.WriteOptions;
        if (method.Type is MethodType.Unary or MethodType.ClientStreaming)
        {
            _response = new(WakeOptions);
        }
        else
        {
            _messages = new Queue<(TResponse, int)>();
        }
    }

    /// <summary>The single response of a call that has one.</summary>
    public Task<TResponse> ResponseAsync => _response!.Task;

    protected override bool LacksResponse => _response is not null && _single is null;

    /// <summary>Starts a call whose requests follow by <see cref="WriteAsync(TRequest)"/>.</summary>
    public void StartStreaming() => Start();

    /// <summary>Starts a call with its only request.</summary>
    public void StartWith(TRequest request)
    {
        byte[] buffer;
        int length;
        try
        {
            (buffer, length) = MessageWriter.Serialize(
                request, _method.RequestMarshaller, Channel.Options.SendMessageBytesMax);
        }
        catch (RpcException e)
        {
            Fail(e.Status);
            return;
        }

        lock (Gate)
        {
            SetOut(buffer, length, end: true);
        }

        Start();
    }

    public override void Signal()
    {
        SignalHeaders();
        if (_response is null)
        {
            SignalReader();
        }
        else if (IsFinished && !_response.Task.IsCompleted)
        {
            if (EndStatus.StatusCode == StatusCode.OK)
            {
                _response.TrySetResult(_single!);
            }
            else
            {
                _response.TrySetException(Error());

                // Marks it as seen: a caller that disposes the call without awaiting it has made no mistake.
                _ = _response.Task.Exception;
            }
        }
    }

    protected override int OnMessage(ArraySegment<byte> message, int heldBytes)
    {
        var response = MessageReader.Deserialize(
            _method.ResponseMarshaller, message.Array!, message.Offset, message.Count);
        lock (Gate)
        {
            if (IsFinished)
            {
                Drop(response);
                return 0;
            }

            if (_messages is not null)
            {
                _messages.Enqueue((response, heldBytes));
                return heldBytes;
            }

            if (_single is null)
            {
                _single = response;
                return 0;
            }
        }

        Drop(response);
        End(StatusCode.Unimplemented, "The server sent more than one response.");
        return 0;
    }

    protected override void OnOutSent()
    {
        // A lone request stays until the end, so that a server which refuses it unseen can be asked again.
        if (_streamsRequests)
        {
            DropOut();
            SentForGood = true;
            _writeWaiter?.TrySetResult();
            _writeWaiter = null;
        }
    }

    protected override void OnFinished(bool drop)
    {
        if (drop && _messages is not null)
        {
            while (_messages.TryDequeue(out var unread))
            {
                Drop(unread.Message);
            }
        }

        // An OK that comes before the last request was sent means that the server has heard enough.
        if (_writeWaiter is { } waiter)
        {
            _writeWaiter = null;
            waiter.TrySetException(WriteError());
            _ = waiter.Task.Exception;
        }
    }

    private static void Drop(TResponse response) => (response as IDisposable)?.Dispose();
}
