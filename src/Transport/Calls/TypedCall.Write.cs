// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>
/// The request stream. One write at a time; a write ends when its bytes are in the connection's outbox.
/// </summary>
internal sealed partial class TypedCall<TRequest, TResponse> : IClientStreamWriter<TRequest>
{
    private TaskCompletionSource? _writeWaiter;
    private bool _completed;

    public WriteOptions? WriteOptions { get; set; }

    public Task WriteAsync(TRequest message)
    {
        byte[] buffer;
        int length;
        try
        {
            (buffer, length) = MessageWriter.Serialize(
                message, _method.RequestMarshaller, Channel.Options.SendMessageBytesMax);
        }
        catch (RpcException e)
        {
            Fail(e.Status);
            return Task.FromException(e);
        }

        Exception? error = null;
        lock (Gate)
        {
            if (IsFinished)
            {
                error = WriteError();
            }
            else if (_completed || HasOut)
            {
                error = new InvalidOperationException(_completed
                    ? "The request stream was completed before."
                    : "Another write to this stream is still waiting.");
            }
            else
            {
                SetOut(buffer, length, end: false);
            }
        }

        if (error is not null)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            return Task.FromException(error);
        }

        return SendOut((WriteOptions?.Flags & WriteFlags.BufferHint) == WriteFlags.BufferHint);
    }

    public Task WriteAsync(TRequest message, CancellationToken cancellationToken) => cancellationToken.CanBeCanceled
        ? WriteCancellable(message, cancellationToken)
        : WriteAsync(message);

    public Task CompleteAsync()
    {
        lock (Gate)
        {
            if (IsFinished)
            {
                return Task.CompletedTask;
            }

            if (_completed || HasOut)
            {
                return Task.FromException(new InvalidOperationException(_completed
                    ? "The request stream was completed before."
                    : "A write to this stream is still waiting."));
            }

            _completed = true;
            SetOut([], 0, end: true);
        }

        return SendOut(false);
    }

    private async Task WriteCancellable(TRequest message, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(
            static state => ((TypedCall<TRequest, TResponse>)state!).Cancel(), this))
        {
            await WriteAsync(message, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private Task SendOut(bool mayWait)
    {
        // Before the call has a connection the bytes wait here, and the start sends them behind the headers.
        Connection?.Send(this, mayWait);
        lock (Gate)
        {
            if (HasOut)
            {
                _writeWaiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
                return _writeWaiter.Task;
            }

            // Gone without being sent: the call ended in between.
            return SentForGood || !IsFinished ? Task.CompletedTask : Task.FromException(WriteError());
        }
    }

    private Exception WriteError() => EndStatus.StatusCode == StatusCode.OK
        ? new InvalidOperationException("The call has ended; nothing can be written to it.")
        : Error();
}
