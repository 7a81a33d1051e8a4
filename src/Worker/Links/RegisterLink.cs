// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Link;
using Muster.Transport.Wire;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Handlers;
using Muster.Worker.Runtime;

namespace Muster.Worker.Links;

/// <summary>
/// The worker's stream to the Register: hello, results, beats, goodbye one way; confirmations, fences and wishes the
/// other. Opens it again, for ever, whenever it ends. Results leave by the thread that made them; beats by the
/// heartbeat thread; the reading loop runs on the pool. All state that is shared with those is under the book's gate.
/// </summary>
internal sealed class RegisterLink : MessagePump, IDisposable
{
    private readonly RegisterLinkParts _parts;
    private readonly AttemptBook _book;
    private readonly Executor _executor;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly double _ticksPerUs;
    private readonly Backoff _backoff = new(new Random());
    private readonly RegisterAnswer _answer = new();
    private readonly ServerReturn _return;

    // Used by whoever has the turn to send.
    private readonly ProtoWriter _writer = new();
    private readonly List<HeldAttempt> _taken = [];
    private readonly List<ulong> _running = [];
    private readonly List<(HeldAttempt Attempt, string Details)> _news = [];

    // Under the gate.
    private IMessageStream? _stream;
    private LoadSample? _beat;
    private ulong _endedSent;
    private bool _drainingSent;
    private TaskCompletionSource? _goodbye;
    private Registration? _registration;

    // Of the reading loop: whether the present outage was told.
    private bool _outageTold;

    public RegisterLink(RegisterLinkParts parts)
        : base(parts.StopWorker)
    {
        _parts = parts;
        _book = parts.Book;
        _executor = parts.Executor;
        _time = parts.Time;
        _log = parts.Log;
        _return = new(_time);
        _ticksPerUs = _time.TimestampFrequency / 1_000_000.0;
    }

    /// <summary>Keeps the stream open until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            LinkException? reason = null;
            try
            {
                await RunStreamAsync(stopping).ConfigureAwait(false);
            }
            catch (LinkException exception)
            {
                reason = exception;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (WireFormatException exception)
            {
                reason = new(FaultCode.Unavailable, $"the Register's message is damaged: {exception.Message}");
            }

            if (_goodbye is not null)
            {
                return;
            }

            if (!stopping.IsCancellationRequested)
            {
                await RecoverAsync(reason, stopping).ConfigureAwait(false);
            }
        }
    }

    /// <summary>A beat at the interval is due.</summary>
    public void Beat(in LoadSample load)
    {
        lock (_book.Gate)
        {
            _beat = load;
        }

        Flush(isOwner: true);
    }

    /// <summary>Says goodbye once every result was sent, and ends the stream for good.</summary>
    /// <returns>Ends when the Register has ended the stream too, or when there is no stream to say it on.</returns>
    public Task SayGoodbyeAsync()
    {
        Task said;
        lock (_book.Gate)
        {
            if (_stream is null)
            {
                return Task.CompletedTask;
            }

            _goodbye ??= new(TaskCreationOptions.RunContinuationsAsynchronously);
            said = _goodbye.Task;
        }

        Flush();
        return said;
    }

    /// <summary>The Scheduler doubts that this worker is still registered: ask the Register again.</summary>
    public void Reopen()
    {
        IMessageStream? stream;
        lock (_book.Gate)
        {
            stream = _stream;
        }

        stream?.Abort();
    }

    /// <summary>After <see cref="RunAsync"/> has ended; a late flush finds no stream and touches nothing.</summary>
    public void Dispose() => _writer.Dispose();

    protected override bool TryNext(
        [NotNullWhen(true)] out IMessageStream? stream, [NotNullWhen(true)] out RawMessage? message)
    {
        message = null;
        _taken.Clear();
        _running.Clear();
        LoadSample? beat;
        bool draining, goodbye;
        ulong ended;
        lock (_book.Gate)
        {
            stream = _stream;
            if (stream is null)
            {
                return false;
            }

            // A message with one giant result has no room for the list of what runs.
            var isGiant = _book.Results.TakeUnsent(_taken) > WorkerLimits.MessageBytesSoftMax;
            ended = _book.EndedTotal;
            draining = _book.IsDraining;
            beat = isGiant ? null : _beat;
            goodbye = _goodbye is { Task.IsCompleted: false } && _book.Results.Unsent == 0;
            if (_taken.Count == 0 && beat is null && ended == _endedSent && draining == _drainingSent && !goodbye)
            {
                return false;
            }

            _beat = isGiant ? _beat : null;
            _endedSent = ended;
            _drainingSent = draining;
            ListRunning(beat is not null);
            if (goodbye)
            {
                // Nothing may be written behind it.
                _stream = null;
            }
        }

        message = Encode(beat, ended, draining, goodbye);
        if (!goodbye)
        {
            return true;
        }

        _ = EndAsync(stream, message);
        return false;
    }

    protected override void Broken(IMessageStream stream, LinkException exception)
    {
        lock (_book.Gate)
        {
            if (_stream == stream)
            {
                _stream = null;
            }
        }

        // The reading loop hears of it and opens another.
        stream.Abort();
    }

    protected override void HandOver() => _parts.FlushSoon();

    private void ListRunning(bool isBeat)
    {
        if (!isBeat)
        {
            return;
        }

        foreach (var attempt in _book.Running)
        {
            if (!attempt.IsAbandoned && !attempt.IsReported)
            {
                _running.Add(attempt.Key.Task.Value);
                if (attempt.TryTakeNews(out var details))
                {
                    _news.Add((attempt, details));
                }
            }
        }
    }

    private RawMessage Encode(LoadSample? beat, ulong ended, bool draining, bool goodbye)
    {
        _writer.Clear();
        var now = _time.GetTimestamp();
        foreach (var attempt in _taken)
        {
            HeartbeatCodec.WriteResult(_writer, attempt, now, _ticksPerUs);
        }

        HeartbeatCodec.WriteEndedTotal(_writer, ended);
        HeartbeatCodec.WriteDraining(_writer, draining);
        if (beat is { } load)
        {
            HeartbeatCodec.WriteBeat(_writer, _running, load);
            foreach (var (attempt, details) in _news)
            {
                HeartbeatCodec.WriteProgress(_writer, attempt, details, now, _ticksPerUs);
            }

            _news.Clear();
        }

        if (goodbye)
        {
            HeartbeatCodec.WriteGoodbye(_writer);
        }

        return RawMessage.Copy(_writer.Written);
    }

    private async Task EndAsync(IMessageStream stream, RawMessage last)
    {
        try
        {
            await stream.WriteAsync(last).ConfigureAwait(false);
            await stream.CompleteAsync().ConfigureAwait(false);
        }
        catch (LinkException exception)
        {
            // The Register notices the end of the stream or of the process instead.
            WorkerLog.GoodbyeFailed(_log, exception.Message);
            stream.Abort();
        }
    }

    private async Task RunStreamAsync(CancellationToken stopping)
    {
        _return.Trying(_parts.Address);
        var stream = await _parts.Transport.OpenHeartbeatAsync(_parts.Address, stopping).ConfigureAwait(false);
        using var abort = stopping.UnsafeRegister(static stream => ((IMessageStream)stream!).Abort(), stream);
        try
        {
            await WriteHelloAsync(stream).ConfigureAwait(false);
            await ReadWelcomeAsync(stream).ConfigureAwait(false);
            while (await stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                using (message)
                {
                    _answer.Read(message.Span);
                }

                Take(_answer);
            }
        }
        finally
        {
            Detach(stream);
            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask WriteHelloAsync(IMessageStream stream)
    {
        using var writer = new ProtoWriter();
        var inHand = new List<AttemptKey>();
        lock (_book.Gate)
        {
            _book.DescribeClaims(inHand);
            HeartbeatCodec.WriteHello(
                writer, _parts.Identity, _registration, inHand, _parts.Handlers.Names, _book.EndedTotal);
        }

        await stream.WriteAsync(RawMessage.Copy(writer.Written)).ConfigureAwait(false);
    }

    private async ValueTask ReadWelcomeAsync(IMessageStream stream)
    {
        using var patience = new CancellationTokenSource(
            TimeSpan.FromMilliseconds(WorkerLimits.WelcomeMsMax), _time);
        using var abort = patience.Token.UnsafeRegister(static stream => ((IMessageStream)stream!).Abort(), stream);
        using var message = await stream.ReadAsync().ConfigureAwait(false)
            ?? throw new LinkException(FaultCode.Unavailable, "the Register ended the stream before its welcome");
        _answer.Read(message.Span);
        var welcome = _answer.Welcome
            ?? throw new LinkException(FaultCode.Unavailable, "the Register's first message holds no welcome");
        Welcome(stream, welcome);
        Take(_answer);
    }

    private void Welcome(IMessageStream stream, Registration welcome)
    {
        bool isFenced;
        lock (_book.Gate)
        {
            isFenced = welcome.IsFenced || (_registration is { } known && !IsSame(known, welcome));
        }

        if (isFenced)
        {
            // Without a registration while things are abandoned: no assignment of the old one slips in behind that, and
            // none of the new one is abandoned with the rest.
            WorkerLog.Fenced(_log, welcome.WorkerId);
            _parts.Registered(null);
            _executor.AbandonAll();
        }

        _parts.Registered(welcome);

        lock (_book.Gate)
        {
            _registration = welcome;
            _book.Heard(_time.GetTimestamp(), welcome.LeaseMs);
            _book.Results.Rewind();
            _endedSent = ulong.MaxValue;
            _stream = stream;
        }

        _backoff.Reset();
        _return.Reached();
        _outageTold = false;
        WorkerLog.Registered(_log, _parts.Identity.Name, welcome.WorkerId, _parts.Address);
        _parts.SetInterval(welcome.IntervalMs);
        Flush();
        _executor.StartWaiting();
    }

    // The same registration, or its successor in an arena that was made anew: then the answer names what was lost.
    private static bool IsSame(Registration known, Registration welcome) =>
        known.CellId == welcome.CellId
        && (known.Epoch == welcome.Epoch ? known.WorkerId == welcome.WorkerId : known.Epoch < welcome.Epoch);

    private void Take(RegisterAnswer answer)
    {
        bool confirmed;
        lock (_book.Gate)
        {
            _book.Heard(_time.GetTimestamp(), _registration!.LeaseMs);
            confirmed = _book.Confirm(answer.ConfirmedNumber);
        }

        if (answer.Superseded.Count > 0)
        {
            WorkerLog.Superseded(_log, answer.Superseded.Count, answer.Superseded[0].Task);
            _executor.Abandon([.. answer.Superseded]);
        }

        _parts.SetInterval(answer.IntervalMs);
        _executor.StartWaiting();
        if (confirmed)
        {
            _parts.Confirmed();
        }

        if (answer.MustDrain)
        {
            _parts.DrainWanted();
        }
    }

    private void Detach(IMessageStream stream)
    {
        lock (_book.Gate)
        {
            if (_stream == stream)
            {
                _stream = null;
            }

            // Whoever waits to say goodbye must not wait for a stream that is gone.
            _goodbye?.TrySetResult();
        }
    }

    private async Task RecoverAsync(LinkException? reason, CancellationToken stopping)
    {
        if (reason is { IsFenced: true })
        {
            WorkerLog.Fenced(_log, _registration?.WorkerId ?? 0);
            lock (_book.Gate)
            {
                _registration = null;
            }

            _parts.Registered(null);
            _executor.AbandonAll();
        }

        var wait = _backoff.Next(reason);
        if (!_outageTold)
        {
            _outageTold = true;
            WorkerLog.RegisterLost(_log, _parts.Address, reason?.Message ?? "it ended the stream");
        }

        try
        {
            await _return.WaitAsync(wait, stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The worker stops; the loop sees the same token.
            return;
        }
    }
}
