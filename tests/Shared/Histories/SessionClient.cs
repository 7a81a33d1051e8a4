// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Shared.Histories;

/// <summary>
/// Submits trace tasks without end over a session of the public protocol, told apart from the SDK on purpose: it never
/// submits a task again, so that a lost acceptance is not mended unseen, and it confirms a result only after it has
/// told of it. What it tells is enough to continue its session after its own death.
/// <para>
/// Events come one at a time, from any thread, in the order in which they happened, and are flushed before the next
/// message leaves; the sink may lock what it likes.
/// </para>
/// </summary>
internal sealed class SessionClient(SessionClientOptions options, SessionBook book, IHistorySink sink)
    : IAsyncDisposable
{
    // Some have keys of their own, for what the cell does with them; they do not stay there for long.
    private const long KeyedEvery = 16;
    private const ulong KeptMs = 1_000;

    private static readonly GrpcChannelOptions s_channel = new() { BackoffMax = TimeSpan.FromMilliseconds(100) };

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<string, GrpcChannel> _channels = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string _plm = "";
    private ulong _nextRef;
    private long _heldUntilMs;
    private long _pacedUs = NowUs();
    private ulong _confirmed;
    private bool _isClosed;
    private Task _running = Task.CompletedTask;

    /// <summary>Submits nothing more; what is under way comes back.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _isClosed || book.NextKey >= options.TasksMax;
            }
        }
    }

    /// <summary>Streams that were welcomed.</summary>
    public int Streams { get; private set; }

    /// <summary>Refusals that did not say when to come again.</summary>
    public long RefusalsWithoutDelay { get; private set; }

    /// <summary>Why the last stream ended.</summary>
    public string LastEnd { get; private set; } = "";

    public void Start() => _running = Task.Run(() => RunAsync(_stop.Token));

    /// <summary>Submits nothing more and waits until every accepted task has its result.</summary>
    /// <returns>Tasks that have none when the time is over.</returns>
    public async Task<int> DrainAsync(TimeSpan deadline)
    {
        Task idle;
        lock (_gate)
        {
            _isClosed = true;
            idle = _idle.Task;
            TellIdle();
        }

        await Task.WhenAny(idle, _running, Task.Delay(deadline));
        if (_running.IsFaulted)
        {
            await _running;
        }

        lock (_gate)
        {
            return book.Waiting;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAny(_running);
        foreach (var channel in _channels.Values)
        {
            await channel.DisposeAsync();
        }

        _stop.Dispose();
        _wake.Dispose();
    }

    /// <summary>The clock of histories.</summary>
    public static long NowUs() => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds;

    private async Task RunAsync(CancellationToken stop)
    {
        var failures = 0;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ServeAsync(stop);
            }
            catch (Exception failure) when (IsBreak(failure, stop))
            {
                LastEnd = failure.Message;
                _plm = "";
                failures++;
            }

            // Short, for the time until it is back counts; the cell under test must bear eager clients.
            if (!stop.IsCancellationRequested)
            {
                await Task.WhenAny(Task.Delay(Math.Min(10 * failures, 50), stop));
                failures = Math.Min(failures, 5);
            }
        }
    }

    private static bool IsBreak(Exception failure, CancellationToken stop) =>
        failure is RpcException or TimeoutException or OperationCanceledException or InvalidOperationException
            or ObjectDisposedException or WireFormatException || stop.IsCancellationRequested;

    private async Task ServeAsync(CancellationToken stop)
    {
        await FindPlmAsync(stop);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var call = new SubmissionService.SubmissionServiceClient(Channel(_plm).CreateCallInvoker())
            .Session(cancellationToken: end.Token);
        await call.RequestStream.WriteAsync(Hello(), stop).WaitAsync(options.WelcomeTimeout, stop);
        if (!await call.ResponseStream.MoveNext(end.Token).WaitAsync(options.WelcomeTimeout, stop))
        {
            throw new TimeoutException("the server ended the stream");
        }

        TakeWelcome(call.ResponseStream.Current);
        Streams++;
        var sending = SendAsync(call.RequestStream, end.Token);
        try
        {
            Take(call.ResponseStream.Current);
            while (await call.ResponseStream.MoveNext(end.Token))
            {
                Take(call.ResponseStream.Current);
            }

            LastEnd = "the server ended the stream";
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAny(sending);
            _ = sending.Exception;
        }
    }

    private async Task FindPlmAsync(CancellationToken stop)
    {
        if (_plm.Length > 0 && book.ClientId != 0)
        {
            return;
        }

        var registry = new RegistryService.RegistryServiceClient(Channel(options.Address).CreateCallInvoker());
        var answer = await registry.RegisterClientAsync(
            new() { WireVersion = 1, Name = options.Actor },
            new CallOptions(deadline: DateTime.UtcNow + options.WelcomeTimeout, cancellationToken: stop));
        _plm = answer.PlmAddresses.FirstOrDefault() ?? throw new TimeoutException("the cell has no PLM");
        lock (_gate)
        {
            if (book.ClientId == 0)
            {
                Tell(HistoryOp.Join, "ok", 0, 0, answer.ClientId);
                sink.Flush();
            }
        }
    }

    private GrpcChannel Channel(string address)
    {
        if (!_channels.TryGetValue(address, out var channel))
        {
            _channels[address] = channel = GrpcChannel.ForAddress(address, s_channel);
        }

        return channel;
    }

    private SessionRequest Hello()
    {
        lock (_gate)
        {
            var hello = new SessionHello
            {
                WireVersion = 1, ClientId = book.ClientId, Name = options.Actor, Epoch = book.Epoch,
            };
            if (book.Unresolved.Count > 0)
            {
                hello.UnresolvedFirst = book.Unresolved.Keys.First();
                hello.UnresolvedLast = book.Unresolved.Keys.Last();
            }

            return new() { Hello = hello };
        }
    }

    private void TakeWelcome(SessionResponse response)
    {
        var welcome = response.Welcome ?? throw new TimeoutException("the first message is no welcome");
        lock (_gate)
        {
            for (var index = 0; index < welcome.KnownRefs.Count; index++)
            {
                if (book.Unresolved.TryGetValue(welcome.KnownRefs[index], out var key))
                {
                    Tell(HistoryOp.Accept, "ok", welcome.KnownRefs[index], key, welcome.KnownTaskIds[index]);
                }
            }

            foreach (var (itemRef, key) in book.Unresolved.ToArray())
            {
                Tell(HistoryOp.Unknown, "refused", itemRef, key);
            }

            // A cell made anew names all that it still has of this session; the rest is gone.
            var isAnew = book.Epoch != 0 && welcome.Epoch != book.Epoch;
            var known = isAnew ? welcome.KnownRefs.ToHashSet() : [];
            foreach (var (itemRef, (key, task)) in book.Open.ToArray())
            {
                if (itemRef > welcome.DecidedRef || (isAnew && !known.Contains(itemRef)))
                {
                    Tell(HistoryOp.Missing, "unknown", itemRef, key, task);
                }
            }

            if (welcome.Epoch != book.Epoch)
            {
                Tell(HistoryOp.Join, "ok", welcome.Epoch, 0, book.ClientId);
            }

            sink.Flush();
            _nextRef = welcome.DecidedRef + 1;
            _confirmed = 0;
            TellIdle();
        }
    }

    private async Task SendAsync(IClientStreamWriter<SessionRequest> stream, CancellationToken end)
    {
        ulong told = 0;
        while (!end.IsCancellationRequested)
        {
            var request = new SessionRequest();
            lock (_gate)
            {
                request.Submit = NextBatch();
                request.ConfirmedTotal = _confirmed;
            }

            if (request.Submit is null && request.ConfirmedTotal == told)
            {
                await _wake.WaitAsync(options.PerSecond > 0 ? 2 : 20, end);
                continue;
            }

            told = request.ConfirmedTotal;
            await stream.WriteAsync(request, end);
        }
    }

    private SubmitBatch? NextBatch()
    {
        var room = options.PerSecond > 0
            ? Due()
            : Environment.TickCount64 < _heldUntilMs ? 0 : options.InFlightMax - book.Waiting;
        room = (int)Math.Min(room, options.TasksMax - book.NextKey);
        if (room <= 0 || _isClosed)
        {
            return null;
        }

        var batch = new SubmitBatch
        {
            FirstRef = _nextRef,
            Options = new()
            {
                Handler = TraceTask.Handler,
                AttemptsMax = 100,
                Durability = (V1.Durability)options.Durability,
                RetentionMs = KeptMs,
                KeyRetentionMs = KeptMs,
            },
        };
        for (var count = Math.Min(room, options.BatchMax); count > 0; count--)
        {
            var key = book.NextKey;
            var waitMs = options.FailEvery > 0 && key % options.FailEvery == 0 ? -1
                : options.WaitMsMax == 0 ? 0 : (int)(key % (options.WaitMsMax + 1));
            batch.Items.Add(new TaskItem
            {
                Payload = ByteString.CopyFrom(TraceTask.Payload(key, waitMs, options.PayloadBytes)),
                IdempotencyKey = key % KeyedEvery == 0 ? $"{book.ClientId:x}-{key}" : "",
            });
            Tell(HistoryOp.Submit, "unknown", _nextRef++, key);
        }

        sink.Flush();
        return batch;
    }

    /// <summary>Tasks whose time has come; those of more than a quarter of a second are given up.</summary>
    private int Due()
    {
        var now = NowUs();
        _pacedUs = Math.Max(_pacedUs, now - 250_000);
        var due = (int)Math.Min((now - _pacedUs) * options.PerSecond / 1_000_000, options.BatchMax);
        _pacedUs += due * 1_000_000L / options.PerSecond;
        return due;
    }

    private void Take(SessionResponse response)
    {
        lock (_gate)
        {
            foreach (var accepted in response.Accepted)
            {
                TakeAccepted(accepted);
            }

            foreach (var result in response.Results)
            {
                TakeResult(result);
            }

            sink.Flush();
            _confirmed += (ulong)response.Results.Count;
            TellIdle();
        }

        Wake();
    }

    private void TakeAccepted(Accepted accepted)
    {
        for (var index = 0; index < accepted.TaskIds.Count; index++)
        {
            var itemRef = accepted.FirstRef + (ulong)index;
            if (accepted.TaskIds[index] != 0 && book.Unresolved.TryGetValue(itemRef, out var key))
            {
                Tell(HistoryOp.Accept, "ok", itemRef, key, accepted.TaskIds[index]);
            }
        }

        foreach (var error in accepted.Errors)
        {
            var itemRef = accepted.FirstRef + error.Index;
            if (book.Unresolved.TryGetValue(itemRef, out var key))
            {
                Tell(HistoryOp.Refuse, error.Code, itemRef, key);
            }

            _heldUntilMs = Environment.TickCount64 + Math.Max(error.RetryAfterMs, 1);
            RefusalsWithoutDelay += error.RetryAfterMs == 0 ? 1 : 0;
        }
    }

    private void TakeResult(TaskResult result)
    {
        // The output says whose it is; the book says whose it should be.
        var key = book.Open.TryGetValue(result.Ref, out var open) ? open.Key
            : book.Unresolved.TryGetValue(result.Ref, out var sent) ? sent : -1;
        var output = result.Output.Span;
        if (key < 0 && output.Length >= sizeof(long))
        {
            key = BitConverter.ToInt64(output);
        }

        var isRight = result.Outcome == V1.Outcome.Succeeded
            && TraceTask.IsRight(output, key, options.PayloadBytes, result.Attempt);
        var wrong = result.Outcome == V1.Outcome.Succeeded ? "wrong" : result.Error?.Code ?? "failed";
        var outcome = isRight ? "ok" : wrong;
        Tell(HistoryOp.Result, outcome, result.Ref, key, result.TaskId, result, TraceTask.Hash(output));
    }

    private void Tell(
        HistoryOp op,
        string outcome,
        ulong itemRef,
        long key,
        ulong task = 0,
        TaskResult? result = null,
        ulong value = 0)
    {
        var happened = new HistoryEvent
        {
            TimeUs = NowUs(),
            Actor = options.Actor,
            Op = op,
            Task = task,
            Key = key,
            Attempt = result?.Attempt ?? 0,
            Level = options.Level,
            Outcome = outcome,
            Value = value,
            Ref = itemRef,
            Executions = result?.Executions ?? 0,
        };
        book.Follow(happened);
        sink.Take(happened);
    }

    private void TellIdle()
    {
        if (IsClosed && book.Waiting == 0)
        {
            _idle.TrySetResult();
        }
    }

    private void Wake()
    {
        try
        {
            if (_wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Another woke the sender between the look and the release.
        }
    }
}
