// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>A duplex call whose messages stay bytes.</summary>
internal sealed class GrpcMessageStream(AsyncDuplexStreamingCall<RawMessage, RawMessage> call) : IMessageStream
{
    private readonly IMessageReader<RawMessage> _reader = (IMessageReader<RawMessage>)call.ResponseStream;
    private int _aborted;

    public async ValueTask WriteAsync(RawMessage message)
    {
        try
        {
            await call.RequestStream.WriteAsync(message).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            throw Translate(exception);
        }
    }

    public async ValueTask<RawMessage?> ReadAsync()
    {
        try
        {
            if (_reader.TryRead(out var message))
            {
                return message;
            }

            return await _reader.ReadAsync().ConfigureAwait(false) ? _reader.Current : null;
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            throw Translate(exception);
        }
    }

    public async ValueTask CompleteAsync()
    {
        try
        {
            await call.RequestStream.CompleteAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (IsExpected(exception))
        {
            throw Translate(exception);
        }
    }

    public void Abort()
    {
        if (Interlocked.Exchange(ref _aborted, 1) == 0)
        {
            call.Dispose();
        }
    }

    public ValueTask DisposeAsync()
    {
        Abort();
        return ValueTask.CompletedTask;
    }

    /// <summary>What a call throws when it has ended, whichever side ended it.</summary>
    internal static bool IsExpected(Exception exception) =>
        exception is RpcException or InvalidOperationException or ObjectDisposedException or OperationCanceledException;

    internal static LinkException Translate(Exception exception)
    {
        if (exception is not RpcException status)
        {
            return new(FaultCode.Unavailable, "the stream has ended", null, exception);
        }

        var code = FaultCode.None;
        TimeSpan? retryAfter = null;
        if (RichStatus.TryRead(status, out var details))
        {
            code = FaultCodes.Parse(details.Error?.Reason ?? "");
            retryAfter = details.RetryAfter;
        }

        if (code == FaultCode.None)
        {
            code = status.StatusCode switch
            {
                StatusCode.InvalidArgument => FaultCode.InvalidArgument,
                StatusCode.Unimplemented => FaultCode.FeatureUnsupported,
                _ => FaultCode.Unavailable,
            };
        }

        var message = status.Status.Detail.Length > 0 ? status.Status.Detail : status.StatusCode.ToString();
        return new(code, message, retryAfter, exception);
    }
}
