// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint.Access;
using Muster.Server.Http2;
using Muster.Transport.Protocol;

namespace Muster.Server.Endpoint;

/// <summary>
/// One call from its headers to its status: what the handler sees as context, and the parts that do not depend on the
/// types of its messages. Owner: whoever runs it, once. The stream outlives the call while last bytes are to be sent.
/// A call ends early by <see cref="EndWith"/>: the handler's token is signalled, its reads throw, and the status is
/// that of the exception, whatever the handler does then.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer; undisposed, any thread may end the call any time.")]
internal abstract partial class GrpcCall : ServerCallContext, IOutboxCall, IStreamCall, IThreadPoolWorkItem
{
    private readonly Lock _gate = new();
    private readonly CallHandler _handler;
    private readonly string _host;
    private readonly string? _encoding;
    private readonly string? _timeout;
    private readonly string? _damagedBinary;
    private readonly int _metadataBytes;
    private readonly Metadata? _requestHeaders;

    private Metadata? _responseTrailers;
    private CancellationTokenSource? _cancel;
    private ITimer? _deadlineTimer;
    private DateTime _deadline = DateTime.MaxValue;
    private StreamOutbox? _outbox;

    // The first reason to end early wins; written once, under the gate.
    private volatile RpcException? _end;
    private volatile bool _isPeerGone;
    private bool _finished;

    protected GrpcCall(CallHandler handler, ServerStream stream, RequestHead head, CallRouter router, Caller caller)
    {
        Caller = caller;
        _handler = handler;
        Stream = stream;
        Router = router;
        _host = head.Authority;
        _encoding = head.Encoding;
        _timeout = head.Timeout;
        _damagedBinary = head.DamagedBinary;
        _metadataBytes = head.MetadataBytes;
        _requestHeaders = head.Metadata;
    }

    public Caller Caller { get; }

    /// <summary>How the connection under the call ended, once it has.</summary>
    public ConnectionEnd? Connection => Stream.Connection.End;

    protected ServerStream Stream { get; }

    protected CallRouter Router { get; }

    /// <summary>The response headers were sent.</summary>
    protected bool HeadersSent => Stream.AreHeadersSent;

    protected override string MethodCore => _handler.FullName;

    protected override string HostCore => _host;

    protected override string PeerCore => Stream.Connection.PeerName;

    protected override DateTime DeadlineCore => _deadline;

    protected override Metadata RequestHeadersCore => _damagedBinary is null
        ? _requestHeaders ?? Metadata.Empty
        : throw new RpcException(new Status(StatusCode.Internal, $"The metadata '{_damagedBinary}' is not base64."));

    protected override CancellationToken CancellationTokenCore
    {
        get
        {
            lock (_gate)
            {
                _cancel ??= new CancellationTokenSource();
            }

            if (_end is not null)
            {
                SignalToken();
            }

            return _cancel.Token;
        }
    }

    protected override Metadata ResponseTrailersCore => _responseTrailers ??= [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    void IStreamCall.OnPeerGone()
    {
        _isPeerGone = true;
        EndWith(CallFailures.Cancelled());
    }

    /// <summary>Serves the whole call; never throws.</summary>
    public async Task RunAsync()
    {
        var status = Status.DefaultSuccess;
        try
        {
            Begin();
            if (_handler.WaitsForRoles && !Router.Gate.IsOpen)
            {
                await Router.Gate.WhenOpen.ConfigureAwait(false);
                ThrowIfEnded();
            }

            await ServeAsync().ConfigureAwait(false);
            status = StatusCore;
        }
        catch (Exception e)
        {
            // Every failure of a handler becomes a status here; nothing of ours stands above but the connection.
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
        Stream.Wake();
    }

    public void Attach(StreamOutbox outbox)
    {
        Invariant.That(_outbox is null);
        _outbox = outbox;
    }

    ValueTask<FlushResult> IOutboxSink.WriteAsync(ReadOnlyMemory<byte> framed) =>
        Stream.Connection.WriteAsync(Stream, framed);

    /// <summary>May last, or its identity may be revoked meanwhile: then somebody has to find it.</summary>
    protected bool IsKept => _handler.IsStreaming || Caller.Credential is not null;

    protected abstract Task ServeAsync();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders)
    {
        ArgumentNullException.ThrowIfNull(responseHeaders);
        if (HeadersSent)
        {
            throw new InvalidOperationException("The response headers were sent already.");
        }

        Stream.Connection.SendHeaders(Stream, ResponseBlocks.OfHeaders(responseHeaders));
        return Task.CompletedTask;
    }

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Calls are not propagated; pass Deadline and CancellationToken yourself.");

    /// <summary>The token that a handler was given by this call: its reads end with the call anyway.</summary>
    protected bool IsOwn(CancellationToken token) => _cancel is { } own && own.Token == token;

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
            EndpointLog.HandlerFailed(Router.Logger, _handler.FullName, e);
        }
    }

    private void Begin()
    {
        if (_metadataBytes > EndpointLimits.MetadataBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted,
                $"The metadata are over the limit of {EndpointLimits.MetadataBytesMax} bytes."));
        }

        if (_encoding is not null)
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented, "Compressed messages are not supported; send with grpc-encoding identity."));
        }

        if (_timeout is not null)
        {
            StartDeadline(_timeout);
        }

        if (IsKept)
        {
            Router.Add(this);
        }
    }

    private void StartDeadline(string text)
    {
        if (!TimeoutCoding.TryDecode(text, out var timeout))
        {
            throw new RpcException(new Status(StatusCode.InvalidArgument, "The field grpc-timeout is not a timeout."));
        }

        timeout = timeout > EndpointLimits.DeadlineMax ? EndpointLimits.DeadlineMax : timeout;
        var time = Router.Options.Time;
        _deadline = time.GetUtcNow().UtcDateTime + timeout;
        _deadlineTimer = time.CreateTimer(
            static call => ((GrpcCall)call!).DeadlinePassed(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);

        // Not before the field is set: what fires sets it again for the grace.
        _deadlineTimer.Change(timeout, Timeout.InfiniteTimeSpan);
    }
}
