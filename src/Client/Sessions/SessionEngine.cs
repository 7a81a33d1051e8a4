// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>
/// Keeps one session with the PLM alive and everything submitted on its way: one loop connects, reads and reconnects;
/// whoever has something to send starts the sender when none runs, which then sends until nothing is left. So a batch
/// is what gathered while the wire was busy, and a lone task leaves on its caller's own thread.
/// </summary>
/// <remarks>
/// Thread-safe. Waiting submissions are bounded by <see cref="MusterClientOptions.QueuedTasksMax"/> and
/// <see cref="MusterClientOptions.QueuedBytesMax"/>; further callers wait in order. No user code runs here.
/// </remarks>
internal sealed partial class SessionEngine : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly ISessionConnector _connector;
    private readonly MusterClientOptions _options;
    private readonly TimeProvider _time;
    private readonly SessionLedger _ledger;
    private readonly Queue<SubmitWaiter> _waiters = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _holdTimer;

    private TaskCompletionSource _demand = NewSignal();
    private TaskCompletionSource? _senderIdle;
    private SessionLink? _link;
    private Task? _loop;
    private bool _isWanted;
    private volatile bool _isClosed;

    public SessionEngine(ISessionConnector connector, MusterClientOptions options)
    {
        options.Validate();
        _connector = connector;
        _options = options;
        _time = options.Time;
        _ledger = new(Random.Shared) { ConfirmHoldMs = SessionLimits.ConfirmHoldMsMax };
        _holdTimer = _time.CreateTimer(
            static engine => ((SessionEngine)engine!).OnHoldOver(),
            this,
            Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Tasks sent without a result so far.</summary>
    public int OpenCount
    {
        get
        {
            lock (_gate)
            {
                return _ledger.OpenCount;
            }
        }
    }

    /// <summary>Results that came and that nobody waited for.</summary>
    public long DroppedCount
    {
        get
        {
            lock (_gate)
            {
                return _ledger.DroppedCount;
            }
        }
    }

    /// <summary>Queues a task; completes when it is queued, which is at once unless the queue is full.</summary>
    /// <exception cref="OperationCanceledException">Cancelled before there was room; the task will not be
    /// sent.</exception>
    public Task SubmitAsync(PendingTask task, CancellationToken cancellationToken)
    {
        PayloadSize.Check(task.Payload.Length);
        cancellationToken.ThrowIfCancellationRequested();
        SubmitWaiter? waiter = null;
        SessionLink? link;
        bool isInline;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isClosed, typeof(MusterClient));
            if (_waiters.Count == 0 && HasRoom(task))
            {
                _ledger.Enqueue(task);
            }
            else
            {
                waiter = new(task);
                _waiters.Enqueue(waiter);
            }

            Want();
            link = TryBecomeSender(out isInline);
        }

        StartSender(link, isInline);
        return waiter is null ? Task.CompletedTask : AwaitRoomAsync(waiter, cancellationToken);
    }

    /// <summary>Nobody waits for the task any more: if it was not sent yet, it need not be.</summary>
    public void Abandon(PendingTask task)
    {
        lock (_gate)
        {
            task.IsAbandoned = true;
        }
    }

    /// <summary>Cancels tasks wherever they are on their way; each ends with an outcome that says so.</summary>
    public void Cancel(IEnumerable<PendingTask> tasks)
    {
        lock (_gate)
        {
            foreach (var task in tasks)
            {
                if (task.Stage != PendingStage.Ended)
                {
                    _ledger.WantCancel(task);
                }
            }
        }

        Pump();
    }

    /// <summary>Cancels everything that is under way.</summary>
    public void CancelAll()
    {
        lock (_gate)
        {
            _ledger.WantCancelAll();
        }

        Pump();
    }

    /// <summary>
    /// Ends the session: what is on the wire goes out, then everything that still waits fails. Tasks that the cell has
    /// accepted go on there.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        Task? loop;
        SessionLink? link;
        lock (_gate)
        {
            if (_isClosed)
            {
                return;
            }

            _isClosed = true;
            loop = _loop;
            link = _link;
        }

        if (link is not null)
        {
            await EndGracefullyAsync(link);
        }

        await _stop.CancelAsync();
        if (loop is not null)
        {
            await loop;
        }

        FailAll(new MusterException(
            FaultCodes.Name(FaultCode.ShuttingDown), "the client was closed while this task waited for its result"));
        await _holdTimer.DisposeAsync();
        await _connector.DisposeAsync();
        _stop.Dispose();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static MusterException Unavailable(string message, Exception? inner = null) =>
        new(FaultCodes.Name(FaultCode.Unavailable), message, TimeSpan.FromSeconds(1), inner) { IsTransient = true };

    private async Task AwaitRoomAsync(SubmitWaiter waiter, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            Abandon(waiter.Pending);
            throw;
        }
    }

    private bool HasRoom(PendingTask task) =>
        _ledger.QueuedCount < _options.QueuedTasksMax
        && (_ledger.QueuedBytes == 0 || _ledger.QueuedBytes + task.Payload.Length <= _options.QueuedBytesMax);

    /// <summary>Starts the loop, or wakes it. Under the lock.</summary>
    private void Want()
    {
        if (!_isWanted)
        {
            _isWanted = true;
            _loop ??= Task.Run(RunAsync);
            _demand.TrySetResult();
        }
    }

    /// <summary>
    /// Lets submissions in for which there is room now: also when nothing was sent, because tasks that nobody wants any
    /// more leave the queue unsent. Under the lock.
    /// </summary>
    /// <returns>Whether there was room for any.</returns>
    private bool AdmitWaiters()
    {
        var any = false;
        while (_waiters.TryPeek(out var waiter) && HasRoom(waiter.Pending))
        {
            _waiters.Dequeue();
            any = true;
            if (!waiter.Pending.IsAbandoned)
            {
                _ledger.Enqueue(waiter.Pending);
            }

            waiter.TrySetResult();
        }

        return any;
    }

    private void FailAll(MusterException refusal)
    {
        var events = new SessionEvents();
        lock (_gate)
        {
            _ledger.FailAll(refusal, events);
            while (_waiters.TryDequeue(out var waiter))
            {
                waiter.TrySetException(new MusterException(refusal.Code, refusal.Message, refusal.RetryAfter, refusal));
            }

            _isWanted = false;
            _demand = NewSignal();
        }

        events.Tell();
    }

    /// <summary>
    /// Lets confirmations that are due arrive before the stream is given up: a stream that is cut takes with it what
    /// the server has not read yet, and unconfirmed results stay in the cell until the session is forgotten.
    /// </summary>
    private async Task EndGracefullyAsync(SessionLink link)
    {
        lock (_gate)
        {
            _ledger.ConfirmNow();
        }

        Pump(isInline: true);
        using var limit = new CancellationTokenSource(SessionLimits.CloseMsMax);
        try
        {
            await SenderIdleAsync(link).WaitAsync(limit.Token);
            await link.Stream.CompleteAsync().WaitAsync(limit.Token);

            // The server ends the stream when it has read ours to its end.
            await link.Over.WaitAsync(limit.Token);
        }
        catch (Exception failure) when (failure is MusterException or OperationCanceledException)
        {
            // The stream is being closed anyway; what was not confirmed will be forgotten with the session.
        }
    }
}
