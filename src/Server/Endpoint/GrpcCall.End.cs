// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <content>How a call ends: deadline, translation of failures, the last frames.</content>
internal abstract partial class GrpcCall
{
    private const int Http2Cancel = 8;

    private void DeadlinePassed()
    {
        if (_end is null)
        {
            EndWith(CallFailures.DeadlineExceeded());
            _deadlineTimer?.Change(EndpointLimits.DeadlineGrace, Timeout.InfiniteTimeSpan);
            CancelWrite();
        }
        else if (Reset())
        {
            EndpointLog.DeadlineIgnored(Application.Logger, _handler.FullName);
        }
    }

    private void CancelWrite()
    {
        lock (_gate)
        {
            if (!_finished)
            {
                Output.CancelPendingFlush();
            }
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

            Features.Get<IHttpResetFeature>()!.Reset(Http2Cancel);
            return true;
        }
    }

    private Status Explain(Exception exception)
    {
        if (_end is not null && exception is not InvariantException)
        {
            // The reason to end was there first; what the handler threw on its way out follows from it.
            return default;
        }

        return HandlerFailure.Explain(
            exception, _handler.FullName, Application, Aborted.IsCancellationRequested, ResponseTrailersCore);
    }

    private async Task FinishAsync(Status status)
    {
        if (_outbox is not null)
        {
            await DrainOutboxAsync(_outbox).ConfigureAwait(false);
        }

        lock (_gate)
        {
            _finished = true;
        }

        if (_deadlineTimer is not null)
        {
            await _deadlineTimer.DisposeAsync().ConfigureAwait(false);
        }

        await _aborted.DisposeAsync().ConfigureAwait(false);
        if (_handler.IsStreaming)
        {
            Application.Remove(this);
        }

        if (Aborted.IsCancellationRequested)
        {
            return;
        }

        if (_end is { } why)
        {
            status = why.Status;
            HandlerFailure.Add(ResponseTrailersCore, why.Trailers);
        }

        CallEnd.Write(Features, status, _responseTrailers);
    }

    // A peer that does not read must not hold the call for ever: after a while its stream is reset.
    private async Task DrainOutboxAsync(StreamOutbox outbox)
    {
        try
        {
            await outbox.DrainAsync().WaitAsync(EndpointLimits.OutboxDrainTimeout, Application.Options.Time)
                .ConfigureAwait(false);
            outbox.Seal();
        }
        catch (TimeoutException)
        {
            EndpointLog.OutboxDropped(Application.Logger, _handler.FullName);
            outbox.Seal();
            Reset();
            CancelWrite();
            await outbox.DrainAsync().ConfigureAwait(false);
        }
    }
}
