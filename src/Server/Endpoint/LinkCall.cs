// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Link;
using Muster.Server.Endpoint.Access;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// The server's side of a call over a link: what its handler sees is what it sees of a gRPC call. The handler runs on
/// the link's own thread whenever it waited for a message. Responses go through the call's outbox alone.
/// Owner: the listener that accepted the link.
/// </summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "The source has no timer; undisposed, any thread may end the call any time.")]
internal sealed class LinkCall(string method, LinkEnd end, CallRouter router)
    : ServerCallContext, IAsyncStreamReader<RawMessage>, IServerStreamWriter<RawMessage>, IOutboxCall
{
    private static readonly Task<bool> s_found = Task.FromResult(true);

    private readonly CancellationTokenSource _cancel = new();
    private readonly Metadata _trailers = [];
    private StreamOutbox? _outbox;

    // The first reason to end early wins.
    private RpcException? _end;

    public RawMessage Current { get; private set; } = null!;

    /// <summary>Whoever opens a link was asked for its user.</summary>
    public Caller Caller => Caller.Local;

    public ConnectionEnd? Connection { get; } = new();

    protected override string MethodCore => method;

    protected override string HostCore => "localhost";

    protected override string PeerCore => "unix:link";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => Metadata.Empty;

    protected override CancellationToken CancellationTokenCore => _cancel.Token;

    protected override Metadata ResponseTrailersCore => _trailers;

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    /// <summary>Serves the whole call and ends the link; never throws.</summary>
    public async Task RunAsync(DuplexStreamingServerMethod<RawMessage, RawMessage> handler)
    {
        router.Add(this);
        var status = Status.DefaultSuccess;
        try
        {
            if (!router.Gate.IsOpen)
            {
                await router.Gate.WhenOpen.ConfigureAwait(false);
            }

            await handler(this, this, this).ConfigureAwait(false);
            status = StatusCore;
        }
        catch (Exception failure)
        {
            // Every failure of a handler becomes a status here; nothing of ours stands above but the link.
            status = HandlerFailure.Explain(failure, method, router, _cancel.IsCancellationRequested, _trailers);
        }

        router.Remove(this);
        await FinishAsync(Volatile.Read(ref _end) is { } why ? why : new RpcException(status, _trailers))
            .ConfigureAwait(false);
    }

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var found = end.TryRead();
        return found switch
        {
            LinkRead.None => WaitAsync(),
            LinkRead.Message => Found(),
            _ => Task.FromResult(Ended(found)),
        };
    }

    public void EndWith(RpcException why)
    {
        if (Interlocked.CompareExchange(ref _end, why, null) is not null)
        {
            return;
        }

        try
        {
            _cancel.Cancel();
        }
        catch (AggregateException failure)
        {
            // A registered callback threw; the call still ends, and the thread that ended it is not to blame.
            EndpointLog.HandlerFailed(router.Logger, method, failure);
        }

        end.Interrupt();
    }

    public void Attach(StreamOutbox outbox)
    {
        Invariant.That(_outbox is null);
        _outbox = outbox;
    }

    async ValueTask<FlushResult> IOutboxSink.WriteAsync(ReadOnlyMemory<byte> framed)
    {
        var isOut = await end.WriteAsync(framed).ConfigureAwait(false);
        return new FlushResult(isCanceled: false, isCompleted: !isOut);
    }

    Task IAsyncStreamWriter<RawMessage>.WriteAsync(RawMessage message) =>
        throw new NotSupportedException("A call over a link answers through its outbox.");

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Calls are not propagated; pass Deadline and CancellationToken yourself.");

    private async Task<bool> WaitAsync()
    {
        var found = await end.ReadAsync().ConfigureAwait(false);
        return found == LinkRead.Message ? await Found().ConfigureAwait(false) : Ended(found);
    }

    private Task<bool> Found()
    {
        Current = end.TakeFound()!;
        return s_found;
    }

    private bool Ended(LinkRead found)
    {
        if (found == LinkRead.End)
        {
            end.TakeFound()?.Dispose();
            return false;
        }

        // Only the other side's own end, or that of its process, closes the socket while this side reads.
        Connection!.IsByPeer |= found == LinkRead.Gone;
        EndWith(CallFailures.Cancelled());
        var why = Volatile.Read(ref _end)!;

        // A new object for each throw: the stack of a shared one would grow.
        throw new RpcException(why.Status, why.Trailers);
    }

    private async Task FinishAsync(RpcException outcome)
    {
        using (end)
        {
            try
            {
                await SendLastAsync(outcome).WaitAsync(EndpointLimits.OutboxDrainTimeout, router.Options.Time)
                    .ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                // A peer that does not read must not hold the call for ever.
                EndpointLog.OutboxDropped(router.Logger, method);
                _outbox?.Seal();
            }
        }
    }

    private async Task SendLastAsync(RpcException outcome)
    {
        if (_outbox is not null)
        {
            await _outbox.DrainAsync().ConfigureAwait(false);
            _outbox.Seal();

            // What another thread appended in between is being written, and the trailers go behind it.
            await _outbox.DrainAsync().ConfigureAwait(false);
        }

        await end.WriteAsync(LinkTrailers.Encode(outcome.Status, outcome.Trailers)).ConfigureAwait(false);
    }
}
