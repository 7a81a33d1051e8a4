// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Muster.Transport.Protocol;

namespace Muster.Transport.Calls;

/// <summary>
/// One call, whatever its messages are: deadline, cancellation, headers, status. It is made by the invoker, waits at
/// the channel for a connection, may start anew when the server refuses it unseen, and ends once. The gate guards its
/// fields; nothing of the connection is called while it is held.
/// </summary>
internal abstract partial class ClientCall : Http2Stream
{
    // A timer takes at most about 49 days; longer deadlines wind it up again.
    private static readonly TimeSpan s_timerMax = TimeSpan.FromDays(40);

    private readonly byte[] _block;
    private readonly byte[]? _metadata;
    private readonly CancellationToken _cancellation;
    private long _expiresAt;
    private bool _expires;
    private ITimer? _timer;
    private CancellationTokenRegistration _registration;
    private bool _finished;
    private Status _status;
    private Metadata? _headers;
    private Metadata? _trailers;
    private TaskCompletionSource<Metadata>? _headersWaiter;

    protected ClientCall(GrpcChannel channel, IMethod method, in CallOptions options)
    {
        Channel = channel;
        IsWaitForReady = options.IsWaitForReady || channel.Options.WaitForReady;
        _block = channel.RequestHeaders.For(method);
        _metadata = channel.RequestHeaders.Encode(options.Headers);
        _cancellation = options.CancellationToken;
        SetDeadline(options.Deadline);
    }

    /// <summary>Whether the call waits through failed connects instead of failing with the first.</summary>
    public bool IsWaitForReady { get; }

    public bool IsFinished => Volatile.Read(ref _finished);

    public override int HeaderBlockLengthMax => _block.Length + 64 + (_metadata?.Length ?? 0);

    protected GrpcChannel Channel { get; }

    /// <summary>Under the gate, or after the end.</summary>
    protected Status EndStatus => _status;

    /// <summary>Whether continuations must leave the thread that wakes them.</summary>
    protected TaskCreationOptions WakeOptions => Channel.Options.InlineCompletions
        ? TaskCreationOptions.None
        : TaskCreationOptions.RunContinuationsAsynchronously;

    public Task<Metadata> ResponseHeadersAsync
    {
        get
        {
            lock (Gate)
            {
                if (_headers is not null)
                {
                    return Task.FromResult(_headers);
                }

                if (_finished)
                {
                    return _status.StatusCode == StatusCode.OK
                        ? Task.FromResult(Metadata.Empty)
                        : Task.FromException<Metadata>(Error());
                }

                _headersWaiter ??= new(WakeOptions);
                return _headersWaiter.Task;
            }
        }
    }

    public override int WriteHeaderBlock(Span<byte> bytes)
    {
        var writer = new HpackWriter(bytes);
        writer.Copy(_block);
        if (_expires)
        {
            Span<byte> timeout = stackalloc byte[9];
            var text = TimeoutCoding.Encode(Remaining());
            writer.Literal("grpc-timeout"u8, timeout[..System.Text.Encoding.ASCII.GetBytes(text, timeout)]);
        }

        if (_metadata is not null)
        {
            writer.Copy(_metadata);
        }

        return writer.Length;
    }

    public Status GetStatus() => IsFinished ? _status : throw NotFinished();

    public Metadata GetTrailers() => IsFinished ? _trailers ?? Metadata.Empty : throw NotFinished();

    /// <summary>Gives the call up on this side.</summary>
    public void Cancel() => Fail(new Status(StatusCode.Cancelled, "The call was cancelled by its caller."));

    /// <summary>Ends the call with an error of this side. Messages that were not read are dropped.</summary>
    public void Fail(Status status)
    {
        if (Finish(status, null, drop: true))
        {
            Connection?.Reset(this, Http2ErrorCode.Cancel);
            Signal();
        }
    }

    /// <summary>The channel has started the call on a connection. It may have ended in the meantime.</summary>
    public void OnStarted()
    {
        if (IsFinished)
        {
            Connection?.Reset(this, Http2ErrorCode.Cancel);
        }
    }

    /// <summary>Arms deadline and cancellation and looks for a connection.</summary>
    protected void Start()
    {
        if (_expires)
        {
            var remaining = Remaining();
            if (remaining <= TimeSpan.Zero)
            {
                Fail(new Status(StatusCode.DeadlineExceeded, "The deadline was over before the call began."));
                return;
            }

            var timer = Channel.Options.Time.CreateTimer(
                static state => ((ClientCall)state!).OnTimer(), this, Cap(remaining), Timeout.InfiniteTimeSpan);
            Volatile.Write(ref _timer, timer);
        }

        if (_cancellation.CanBeCanceled)
        {
            _registration = _cancellation.UnsafeRegister(static state => ((ClientCall)state!).Cancel(), this);
        }

        if (IsFinished)
        {
            DisarmDeadline();
            return;
        }

        Channel.Start(this);
    }

    /// <summary>The error that the call ended with, to be thrown.</summary>
    protected RpcException Error() => new(_status, _trailers ?? Metadata.Empty);

    /// <summary>Ends the call, once. Does not wake anyone: that is <see cref="Http2Stream.Signal"/>.</summary>
    protected bool Finish(Status status, Metadata? trailers, bool drop)
    {
        lock (Gate)
        {
            if (_finished)
            {
                return false;
            }

            _status = status;
            _trailers = trailers;
            Volatile.Write(ref _finished, true);
            DropOut();
            OnFinished(drop);
        }

        DisarmDeadline();
        return true;
    }

    /// <summary>
    /// The call ends, under the gate: unread messages are dropped when asked, waiting writers are failed.
    /// </summary>
    protected abstract void OnFinished(bool drop);

    /// <summary>Completes the wait for headers, when it is over.</summary>
    protected void SignalHeaders()
    {
        TaskCompletionSource<Metadata>? waiter;
        lock (Gate)
        {
            waiter = _headers is null && !_finished ? null : _headersWaiter;
            if (waiter is null)
            {
                return;
            }

            _headersWaiter = null;
        }

        if (_headers is not null || _status.StatusCode == StatusCode.OK)
        {
            waiter.TrySetResult(_headers ?? Metadata.Empty);
        }
        else
        {
            waiter.TrySetException(Error());
            _ = waiter.Task.Exception;
        }
    }

    private static InvalidOperationException NotFinished() => new("The call has not ended yet.");

    // Timers count whole milliseconds and drop the rest; one more, and they never fire before the deadline.
    private static TimeSpan Cap(TimeSpan remaining) =>
        (remaining < s_timerMax ? remaining : s_timerMax) + TimeSpan.FromMilliseconds(1);

    private void SetDeadline(DateTime? deadline)
    {
        if (deadline is not { } at || at == DateTime.MaxValue)
        {
            return;
        }

        if (at.Kind == DateTimeKind.Unspecified && at != DateTime.MinValue)
        {
            throw new ArgumentException("A deadline must say that it is UTC or local time.", nameof(deadline));
        }

        var time = Channel.Options.Time;
        var remaining = (at.Kind == DateTimeKind.Local ? at.ToUniversalTime() : at) - time.GetUtcNow().UtcDateTime;
        var seconds = Math.Clamp(remaining.TotalSeconds, 0, TimeoutCoding.Longest.TotalSeconds);
        _expires = true;
        _expiresAt = time.GetTimestamp() + (long)(seconds * time.TimestampFrequency);
    }

    private TimeSpan Remaining()
    {
        var time = Channel.Options.Time;
        return time.GetElapsedTime(time.GetTimestamp(), _expiresAt);
    }

    private void OnTimer()
    {
        var remaining = Remaining();
        if (remaining > TimeSpan.Zero)
        {
            // The deadline is weeks away, further than a timer reaches.
            Volatile.Read(ref _timer)?.Change(Cap(remaining), Timeout.InfiniteTimeSpan);
            return;
        }

        Fail(new Status(StatusCode.DeadlineExceeded, "The deadline of the call is over."));
    }

    private void DisarmDeadline()
    {
        Volatile.Read(ref _timer)?.Dispose();
        _registration.Unregister();
    }
}
