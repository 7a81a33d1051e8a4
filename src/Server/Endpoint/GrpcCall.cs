// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Muster.Core;
using Muster.Transport.Protocol;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// One call from its headers to its status: what the handler sees as context, and the parts that do not depend on the
/// types of its messages. Owner: the task that Kestrel runs for the request; the connection's objects must not be
/// touched after it has ended, which <see cref="_finished"/> under the gate ensures for timers and other threads.
/// A call ends early by <see cref="EndWith"/>: the handler's token is signalled, its reads throw, and the status is
/// that of the exception, whatever the handler does then.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer; undisposed, any thread may end the call any time.")]
internal abstract partial class GrpcCall : ServerCallContext, IOutboxCall
{
    private readonly Lock _gate = new();
    private readonly CallHandler _handler;
    private readonly IHttpRequestFeature _request;
    private readonly IHttpResponseBodyFeature _body;

    private Metadata? _requestHeaders;
    private Metadata? _responseTrailers;
    private CancellationTokenSource? _cancel;
    private CancellationTokenRegistration _aborted;
    private ITimer? _deadlineTimer;
    private DateTime _deadline = DateTime.MaxValue;
    private StreamOutbox? _outbox;

    // The first reason to end early wins; written once, under the gate.
    private volatile RpcException? _end;
    private volatile Task? _started;
    private bool _finished;

    protected GrpcCall(CallHandler handler, IFeatureCollection features, GrpcApplication application)
    {
        _handler = handler;
        Features = features;
        Application = application;
        _request = features.Get<IHttpRequestFeature>()!;
        _body = features.Get<IHttpResponseBodyFeature>()!;
        Reader = new MessageReader(
            features.Get<IRequestBodyPipeFeature>()!.Reader, EndpointLimits.MessageBytesMax);
    }

    protected IFeatureCollection Features { get; }

    protected GrpcApplication Application { get; }

    protected MessageReader Reader { get; }

    protected PipeWriter Output => _body.Writer;

    protected override string MethodCore => _handler.FullName;

    protected override string HostCore => _request.Headers.Host.ToString();

    protected override string PeerCore => PeerName.Of(Features);

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _requestHeaders ??= MetadataFields.Read(_request.Headers);

    protected override CancellationToken CancellationTokenCore => _cancel?.Token ?? Aborted;

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    /// <summary>How the connection under the call ended, once it has; null when nobody watches it.</summary>
    public ConnectionEnd? Connection => Features.Get<ConnectionEnd>();

    private CancellationToken Aborted => Features.Get<IHttpRequestLifetimeFeature>()!.RequestAborted;

    /// <summary>Serves the whole call; never throws.</summary>
    public async Task RunAsync()
    {
        var status = Status.DefaultSuccess;
        try
        {
            Begin();
            await ServeAsync().ConfigureAwait(false);
            status = StatusCore;
        }
        catch (Exception e)
        {
            // Every failure of a handler becomes a status here; nothing of ours stands above but Kestrel.
            status = Explain(e);
        }

        await FinishAsync(status).ConfigureAwait(false);
    }

    /// <summary>
    /// Ends the call from any thread: an expired deadline, a server that stops, a stream that was taken over. The first
    /// reason counts. Messages already written still go out before the status.
    /// </summary>
    public void EndWith(RpcException why)
    {
        lock (_gate)
        {
            if (_finished)
            {
                return;
            }

            _end ??= why;
        }

        SignalToken();
        lock (_gate)
        {
            if (!_finished)
            {
                Reader.Wake();
            }
        }
    }

    public void Attach(StreamOutbox outbox)
    {
        Invariant.That(_outbox is null);
        _outbox = outbox;
    }

    ValueTask<FlushResult> IOutboxSink.WriteAsync(ReadOnlyMemory<byte> framed)
    {
        var started = EnsureStarted();
        if (!started.IsCompletedSuccessfully)
        {
            return WriteWhenStartedAsync(started, framed);
        }

        Output.Write(framed.Span);
        return Output.FlushAsync();
    }

    protected abstract Task ServeAsync();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        lock (_gate)
        {
            if (_started is not null)
            {
                throw new InvalidOperationException("The response headers were sent already.");
            }

            MetadataFields.Write(Features.Get<IHttpResponseFeature>()!.Headers, responseHeaders);
        }

        return SendHeadersAsync();
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Calls are not propagated; pass Deadline and CancellationToken yourself.");

    /// <summary>Sends the response headers now, when they have not been sent.</summary>
    protected async Task SendHeadersAsync()
    {
        await EnsureStarted().ConfigureAwait(false);
        await Output.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>Begins the response once; the pipe then hands out its real memory.</summary>
    protected Task EnsureStarted()
    {
        if (_started is { } begun)
        {
            return begun;
        }

        lock (_gate)
        {
            if (_started is null)
            {
                Features.Get<IHttpResponseFeature>()!.Headers.ContentType = CallEnd.ContentType;
                _started = _body.StartAsync();
            }

            return _started;
        }
    }

    protected bool HeadersSent => _started is not null;

    /// <summary>Throws when the call is to end.</summary>
    protected void ThrowIfEnded()
    {
        if (_end is { } why)
        {
            // Whoever sees the end also finds the token signalled, also when another thread is just about to do so.
            SignalToken();

            // A new object for each throw: the stack of a shared one would grow.
            throw new RpcException(why.Status, why.Trailers);
        }
    }

    /// <summary>Ends the call because its peer is gone; gives the exception to throw, which may be of an earlier
    /// end.</summary>
    protected RpcException PeerGone()
    {
        EndWith(CallFailures.Cancelled());
        return _end is { } why ? new RpcException(why.Status, why.Trailers) : CallFailures.Cancelled();
    }

    // Outside the gate: this runs what handlers registered. The source is never disposed, so no race with the end.
    private void SignalToken()
    {
        try
        {
            _cancel?.Cancel();
        }
        catch (AggregateException e)
        {
            // A registered callback threw; the call still ends, and the thread that ended it is not to blame.
            EndpointLog.HandlerFailed(Application.Logger, _handler.FullName, e);
        }
    }

    private async ValueTask<FlushResult> WriteWhenStartedAsync(Task started, ReadOnlyMemory<byte> framed)
    {
        await started.ConfigureAwait(false);
        Output.Write(framed.Span);
        return await Output.FlushAsync().ConfigureAwait(false);
    }

    private void Begin()
    {
        var headers = _request.Headers;
        if (MetadataFields.SizeOf(headers) > EndpointLimits.MetadataBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"The metadata are over the limit of {EndpointLimits.MetadataBytesMax} bytes."));
        }

        if (headers.TryGetValue("grpc-encoding", out var encoding) && encoding != "identity")
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented, "Compressed messages are not supported; send with grpc-encoding identity."));
        }

        var hasTimeout = headers.TryGetValue("grpc-timeout", out var timeout);
        if (!hasTimeout && !_handler.IsStreaming)
        {
            return;
        }

        _cancel = new CancellationTokenSource();
        _aborted = Aborted.UnsafeRegister(static call => ((GrpcCall)call!).EndWith(CallFailures.Cancelled()), this);
        if (hasTimeout)
        {
            StartDeadline(timeout.ToString());
        }

        if (_handler.IsStreaming)
        {
            LiftRequestLimits();
            Application.Add(this);
        }
    }

    private void StartDeadline(string text)
    {
        if (!TimeoutCoding.TryDecode(text, out var timeout))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The field grpc-timeout is not a timeout."));
        }

        timeout = timeout > EndpointLimits.DeadlineMax ? EndpointLimits.DeadlineMax : timeout;
        var time = Application.Options.Time;
        _deadline = time.GetUtcNow().UtcDateTime + timeout;
        _deadlineTimer = time.CreateTimer(
            static call => ((GrpcCall)call!).DeadlinePassed(), this, timeout, Timeout.InfiniteTimeSpan);
    }

    // A stream lasts as long as it likes, at any rate; unary requests keep Kestrel's least rate of 240 bytes a second.
    private void LiftRequestLimits()
    {
        if (Features.Get<Microsoft.AspNetCore.Server.Kestrel.Core.Features.IHttpMinRequestBodyDataRateFeature>()
            is { } rate)
        {
            rate.MinDataRate = null;
        }
    }
}
