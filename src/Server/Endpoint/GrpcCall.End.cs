// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Http2;
using Muster.Transport.Http2;

namespace Muster.Server.Endpoint;

/// <content>How a call ends: deadline, translation of failures, the last frames.</content>
internal abstract partial class GrpcCall
{
    /// <summary>Ends when no write of the handler is under way.</summary>
    protected abstract Task WrittenAsync();

    /// <summary>Hands the rented buffer of the last response over; null: there is none.</summary>
    protected abstract byte[]? TakeResponse(out int length);

    private void DeadlinePassed()
    {
        if (_end is null)
        {
            EndWith(CallFailures.DeadlineExceeded());
            _deadlineTimer?.Change(EndpointLimits.DeadlineGrace, Timeout.InfiniteTimeSpan);
            Stream.Connection.CancelWrite(Stream);
        }
        else if (Reset())
        {
            EndpointLog.DeadlineIgnored(Router.Logger, _handler.FullName);
        }
    }

    private bool Reset()
    {
        lock (_gate)
        {
            if (_finished)
            {
                return false;
            }
        }

        Stream.Connection.Reset(Stream, Http2ErrorCode.Cancel);
        return true;
    }

    private Status Explain(Exception exception)
    {
        if (_end is not null && exception is not InvariantException)
        {
            // The reason to end was there first; what the handler threw on its way out follows from it.
            return default;
        }

        return HandlerFailure.Explain(
            exception, _handler.FullName, Router, _isPeerGone, ResponseTrailersCore);
    }

    private async Task FinishAsync(Status status)
    {
        if (_outbox is not null)
        {
            await DrainAsync(_outbox).ConfigureAwait(false);
        }
        else if (!WrittenAsync().IsCompleted)
        {
            await EndWriteAsync().ConfigureAwait(false);
        }

        lock (_gate)
        {
            _finished = true;
        }

        if (_deadlineTimer is not null)
        {
            await _deadlineTimer.DisposeAsync().ConfigureAwait(false);
        }

        if (IsKept)
        {
            Router.Remove(this);
        }

        if (_end is { } why)
        {
            status = why.Status;
            HandlerFailure.Add(ResponseTrailersCore, why.Trailers);
        }

        var response = TakeResponse(out var length);
        var end = EndBlock(status, isTrailersOnly: !HeadersSent && length == 0);
        Stream.Connection.Finish(Stream, response, length, end);
        Stream.Connection.CallEnded();
    }

    private byte[] EndBlock(in Status status, bool isTrailersOnly)
    {
        if (_isPeerGone)
        {
            return [];
        }

        return status.StatusCode == StatusCode.OK && status.Detail.Length == 0 && !isTrailersOnly
            && _responseTrailers is null or { Count: 0 }
                ? ResponseBlocks.TrailersOk
                : ResponseBlocks.OfEnd(status, _responseTrailers, isTrailersOnly);
    }

    // A peer that does not read must not hold the call for ever: after a while its stream is reset.
    private async Task DrainAsync(StreamOutbox outbox)
    {
        try
        {
            await outbox.DrainAsync().WaitAsync(EndpointLimits.OutboxDrainTimeout, Router.Options.Time)
                .ConfigureAwait(false);
            outbox.Seal();

            // What another thread appended in between is being written, and the trailers go behind it.
            await outbox.DrainAsync().ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            EndpointLog.OutboxDropped(Router.Logger, _handler.FullName);
            outbox.Seal();
            Reset();
            await outbox.DrainAsync().ConfigureAwait(false);
        }
    }

    // A handler that did not wait for its last write: that is done for it, as long as for an outbox.
    private async Task EndWriteAsync()
    {
        try
        {
            await WrittenAsync().WaitAsync(EndpointLimits.OutboxDrainTimeout, Router.Options.Time)
                .ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            EndpointLog.OutboxDropped(Router.Logger, _handler.FullName);
            Reset();

            // The write hears of that on another thread, and uses the buffer that the end of the call gives away.
            await WrittenAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        catch (RpcException)
        {
            // The peer is gone, which the call knows already.
        }
    }
}
