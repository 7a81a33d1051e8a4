// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Core.Tasks;
using Muster.Worker.Attempts;
using Muster.Worker.Commands;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;
using Muster.Worker.Links;

namespace Muster.Worker.Runtime;

/// <summary>
/// A whole worker: its state, threads and streams. Owned by the hosted service of an application, or by the command
/// line. <see cref="StopAsync(CancellationToken)"/> is legal before the start and twice.
/// </summary>
internal sealed class WorkerRuntime : IAsyncDisposable
{
    private readonly MusterWorkerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly AttemptBook _book;
    private readonly Executor _executor;
    private readonly CommandReactor? _reactor;
    private readonly CommandIsolation? _isolation;
    private readonly HeartbeatThread _heartbeat;
    private readonly RegisterLink _register;
    private readonly DispatchLink _dispatch;
    private readonly IWorkerTransport _transport;
    private readonly WorkerIdentity _identity;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _progress = new(0, 1);
    private readonly TaskCompletionSource _registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _loops = Task.CompletedTask;
    private Task? _stop;
    private Exception? _broken;

    /// <summary>Makes a worker; nothing is started.</summary>
    /// <exception cref="ArgumentException">The options are wrong, or there is no handler.</exception>
    public WorkerRuntime(
        MusterWorkerOptions options,
        HandlerTable handlers,
        ILoggerFactory loggers,
        TimeProvider? time = null,
        IWorkerTransport? transport = null)
    {
        options.Validate();
        if (handlers.OffersCommands)
        {
            _isolation = new CommandIsolation(options.Commands);
            _reactor = new CommandReactor(_isolation);
            handlers.Add(new CommandHandler(_reactor, _isolation, options.CommandOutputBytesMax));
        }

        if (handlers.Names.Count == 0)
        {
            throw new ArgumentException("a worker needs at least one handler; add one by Handle or HandleCommands");
        }

        _options = options;
        _time = time ?? TimeProvider.System;
        _log = loggers.CreateLogger("Muster.Worker");
        _transport = transport ?? new GrpcWorkerTransport(options.Credentials(_time), _log);
        _identity = WorkerIdentity.Create(options.Name, options.Slots);
        _book = new AttemptBook(options.Slots, _time.TimestampFrequency / 1_000);
        _heartbeat = new HeartbeatThread(_time, Fail);
        _executor = new Executor(_book, options.Slots, _time, _heartbeat, Progressed, _log);
        _dispatch = MakeDispatchLink(handlers);
        _register = MakeRegisterLink(handlers);
        _heartbeat.Attach(_register, _executor);
    }

    /// <summary>Ends at the first welcome of the Register; cancelled when the worker stops before.</summary>
    public Task Registered => _registered.Task;

    /// <summary>
    /// Ends when the worker has stopped, also by the Register's wish; fails when a bug of ours stopped it.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>Attempts that run now.</summary>
    public int Running
    {
        get
        {
            lock (_book.Gate)
            {
                return _book.Running.Count;
            }
        }
    }

    /// <summary>Starts the threads and streams; does not wait for the cell, which may come later.</summary>
    public void Start()
    {
        TellIsolation();
        _heartbeat.Start();
        _loops = Task.WhenAll(
            Task.Run(() => GuardAsync(_register.RunAsync(_stopping.Token))),
            Task.Run(() => GuardAsync(_dispatch.RunAsync(_stopping.Token))));
    }

    /// <summary>
    /// Drains and stops: gives back what was not started, lets what runs end for at most the drain time, waits until
    /// the Register has the results, says goodbye.
    /// </summary>
    /// <param name="hurry">Cuts every wait short but the one for cancelled handlers.</param>
    public Task StopAsync(CancellationToken hurry) => StopAsync(_options.DrainTimeout, hurry);

    /// <summary>As <see cref="StopAsync(CancellationToken)"/>, with another time to drain.</summary>
    public Task StopAsync(TimeSpan drainTimeout, CancellationToken hurry)
    {
        lock (_stopping)
        {
            return _stop ??= StopOnceAsync(drainTimeout, hurry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.Zero, CancellationToken.None).ConfigureAwait(false);
        _register.Dispose();
        _dispatch.Dispose();

        // The semaphore and the token stay: a handler that did not heed its cancellation may still end and touch them.
    }

    private void TellIsolation()
    {
        if (_isolation is null)
        {
            return;
        }

        WorkerLog.CommandsIsolated(_log, _identity.Name, _isolation.Summary);
        if (_options.Commands.IsSubmitters)
        {
            return;
        }

        foreach (var missing in _isolation.Missing)
        {
            WorkerLog.IsolationMissing(_log, missing);
        }
    }

    private RegisterLink MakeRegisterLink(HandlerTable handlers) => new(new RegisterLinkParts
    {
        Book = _book,
        Executor = _executor,
        Transport = _transport,
        Address = _options.ResolvedAddress,
        Identity = _identity,
        Handlers = handlers,
        Time = _time,
        Log = _log,
        FlushSoon = _heartbeat.FlushSoon,
        SetInterval = _heartbeat.SetInterval,
        Registered = welcome =>
        {
            _dispatch.Use(welcome);
            if (welcome is not null)
            {
                _registered.TrySetResult();
            }
        },
        Confirmed = Progressed,
        DrainWanted = DrainWanted,
        StopWorker = Fail,
    });

    private DispatchLink MakeDispatchLink(HandlerTable handlers) => new(new DispatchLinkParts
    {
        Book = _book,
        Executor = _executor,
        Transport = _transport,
        Identity = _identity,
        Handlers = handlers,
        Time = _time,
        Log = _log,
        RegistrationDoubted = () => _register!.Reopen(),
        Flush = () => _heartbeat.Flush(),
        StopWorker = Fail,
    });

    private async Task StopOnceAsync(TimeSpan drainTimeout, CancellationToken hurry)
    {
        // Off the caller's lock and thread.
        await Task.Yield();
        if (_broken is null)
        {
            await DrainAsync(drainTimeout, hurry).ConfigureAwait(false);
            await LeaveAsync(hurry).ConfigureAwait(false);
        }

        await _stopping.CancelAsync().ConfigureAwait(false);
        await _loops.ConfigureAwait(false);
        _heartbeat.Stop();

        // Before the threads, because a command dies with the one that started it.
        _reactor?.Dispose();
        _executor.StopThreads();
        await _transport.DisposeAsync().ConfigureAwait(false);
        _registered.TrySetCanceled(CancellationToken.None);
        if (_broken is not null)
        {
            _completion.TrySetException(_broken);
            return;
        }

        WorkerLog.Stopped(_log, _identity.Name);
        _completion.TrySetResult();
    }

    private async Task DrainAsync(TimeSpan drainTimeout, CancellationToken hurry)
    {
        var unstarted = new List<AttemptKey>();
        int running;
        lock (_book.Gate)
        {
            _book.IsDraining = true;
            _book.TakeUnstarted(unstarted);
            running = _book.Running.Count;
        }

        WorkerLog.Draining(_log, _identity.Name, running, unstarted.Count);
        _dispatch.Return(unstarted);
        _heartbeat.Flush();
        if (await WaitUntilAsync(() => _book.Running.Count == 0, drainTimeout, hurry).ConfigureAwait(false))
        {
            return;
        }

        lock (_book.Gate)
        {
            running = _book.Running.Count;
        }

        WorkerLog.DrainTimeOver(_log, running);
        _executor.AbandonRunning();
        var grace = TimeSpan.FromMilliseconds(WorkerLimits.CancelGraceMs);
        await WaitUntilAsync(() => _book.Running.Count == 0, grace, CancellationToken.None).ConfigureAwait(false);
    }

    private async Task LeaveAsync(CancellationToken hurry)
    {
        if (!_registered.Task.IsCompletedSuccessfully)
        {
            return;
        }

        var grace = TimeSpan.FromMilliseconds(WorkerLimits.ConfirmGraceMs);
        if (!await WaitUntilAsync(() => _book.Results.Count == 0, grace, hurry).ConfigureAwait(false))
        {
            lock (_book.Gate)
            {
                WorkerLog.ResultsUnconfirmed(_log, _book.Results.Count);
            }
        }

        try
        {
            var patience = TimeSpan.FromMilliseconds(WorkerLimits.GoodbyeMsMax);
            await _register.SayGoodbyeAsync().WaitAsync(patience, _time, hurry).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            // It was sent at least; if it does not arrive, the Register notices that the stream is gone.
            WorkerLog.GoodbyeFailed(_log, "the Register did not answer in time");
        }
    }

    /// <summary>Waits for a condition of the book; looks at each step forward of it.</summary>
    private async Task<bool> WaitUntilAsync(Func<bool> condition, TimeSpan timeout, CancellationToken hurry)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(hurry);
        using var timer = new CancellationTokenSource(timeout, _time);
        using var link = timer.Token.UnsafeRegister(
            static patience => ((CancellationTokenSource)patience!).Cancel(), patience);
        while (true)
        {
            lock (_book.Gate)
            {
                if (condition())
                {
                    return true;
                }
            }

            try
            {
                await _progress.WaitAsync(patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
    }

    /// <summary>An attempt ended or results were confirmed: whoever waits for that looks again.</summary>
    private void Progressed()
    {
        lock (_progress)
        {
            if (_progress.CurrentCount == 0)
            {
                _progress.Release();
            }
        }
    }

    private void DrainWanted()
    {
        if (_stop is null)
        {
            WorkerLog.DrainWanted(_log);
            _ = StopAsync(Timeout.InfiniteTimeSpan, CancellationToken.None);
        }
    }

    private async Task GuardAsync(Task loop)
    {
        try
        {
            await loop.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            // What streams throw was handled; this is a bug of ours.
            Fail(exception);
        }
    }

    /// <summary>
    /// Stops the worker without a drain: its state cannot be trusted, so the Register shall notice its silence.
    /// </summary>
    private void Fail(Exception exception)
    {
        if (Interlocked.CompareExchange(ref _broken, exception, null) is null)
        {
            WorkerLog.Broken(_log, exception);
            _stopping.Cancel();
            _ = StopAsync(TimeSpan.Zero, CancellationToken.None);
        }
    }
}
