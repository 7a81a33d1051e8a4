// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Text;
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

namespace Muster.Worker.Links;

/// <summary>
/// The worker's stream from the Scheduler: assignments and cancellations come in, attempts that were not started go
/// back. Open while the worker is registered, opened again whenever it ends; nothing is stopped because of that. One
/// reading loop on the pool; the state shared with other threads is under the book's gate.
/// </summary>
internal sealed class DispatchLink : MessagePump, IDispatchReader, IDisposable
{
    private readonly DispatchLinkParts _parts;
    private readonly AttemptBook _book;
    private readonly TimeProvider _time;
    private readonly Backoff _backoff = new(new Random());
    private readonly ServerReturn _return;
    private readonly ProtoWriter _writer = new();
    private readonly SemaphoreSlim _registered = new(0);

    // Under the gate. What is to be returned is bounded by what one message of the Scheduler can assign and by the
    // queue.
    private readonly List<AttemptKey> _returns = [];
    private IMessageStream? _stream;
    private bool _helloMade;
    private Registration? _registration;
    private CancellationTokenSource _replaced = new();

    // Of the reading loop, while it reads one message.
    private readonly List<AttemptKey> _cancels = [];
    private readonly ByteChunks _payloads = new();
    private HandlerEntry? _handler;
    private string _handlerName = "";
    private AttemptLimits _limits;
    private long _receivedAt;
    private bool _outageTold;
    private int _failures;

    public DispatchLink(DispatchLinkParts parts)
        : base(parts.StopWorker)
    {
        _parts = parts;
        _book = parts.Book;
        _time = parts.Time;
        _return = new(_time);
    }

    /// <summary>
    /// The Register welcomed this worker, maybe under another id than before, or has given it up (null). From then on
    /// no message of an earlier registration's stream is heeded.
    /// </summary>
    public void Use(Registration? registration)
    {
        CancellationTokenSource? old = null;
        lock (_book.Gate)
        {
            if (_registration is { } known && known.WorkerId != registration?.WorkerId)
            {
                old = _replaced;
                _replaced = new();
            }

            if (_registration is null && registration is not null)
            {
                _registered.Release();
            }

            _registration = registration;
        }

        // Its callbacks abort a stream and resume the loop, nothing of the user's.
        old?.Cancel();
    }

    /// <summary>Gives attempts back unstarted.</summary>
    public void Return(List<AttemptKey> keys)
    {
        lock (_book.Gate)
        {
            // Before a hello they are just not named in it, and so they are sent again, and returned again.
            if (_helloMade)
            {
                _returns.AddRange(keys);
            }
        }

        Flush();
    }

    /// <summary>Keeps the stream open until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            for (var attempt = 0; !stopping.IsCancellationRequested; attempt++)
            {
                Registration? registration;
                CancellationToken replaced;
                lock (_book.Gate)
                {
                    registration = _registration;
                    replaced = _replaced.Token;
                }

                if (registration is null)
                {
                    await _registered.WaitAsync(stopping).ConfigureAwait(false);
                    continue;
                }

                using var ended = CancellationTokenSource.CreateLinkedTokenSource(stopping, replaced);
                var reason = await TryStreamAsync(registration, attempt, ended.Token).ConfigureAwait(false);
                if (!ended.IsCancellationRequested)
                {
                    await RecoverAsync(reason, ended.Token).ConfigureAwait(false);
                }
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The worker stops before it was registered.
        }
    }

    /// <summary>After <see cref="RunAsync"/> has ended; a late flush finds no stream and touches nothing.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _registered.Dispose();
        _replaced.Dispose();
    }

    void IDispatchReader.Group(ReadOnlySpan<byte> handler, in AttemptLimits limits)
    {
        _handler = _parts.Handlers.Find(handler);
        _handlerName = _handler is null ? Encoding.UTF8.GetString(handler) : _handler.Name;
        _limits = limits;
    }

    // With the gate held, as for the other two.
    void IDispatchReader.Assignment(AttemptKey key, uint execution, ReadOnlySpan<byte> payload)
    {
        if (_book.Holds(key))
        {
            return;
        }

        if (!_book.HasRoom)
        {
            _returns.Add(key);
            return;
        }

        var attempt = new HeldAttempt
        {
            Key = key,
            Execution = execution,
            Handler = _handler ?? UnknownHandler.Instance,
            Limits = _limits,
            ReceivedAt = _receivedAt,
            Payload = _payloads.Copy(payload),
        };
        if (_handler is not null)
        {
            _book.Add(attempt);
            return;
        }

        var failure = new AttemptFailure(
            FaultCode.HandlerUnknown, $"worker '{_parts.Identity.Name}' does not offer the handler '{_handlerName}'");
        _book.AddEnded(attempt, AttemptEnd.Failed(failure), _receivedAt);
    }

    void IDispatchReader.Cancel(AttemptKey key) => _cancels.Add(key);

    protected override bool TryNext(
        [NotNullWhen(true)] out IMessageStream? stream, [NotNullWhen(true)] out RawMessage? message)
    {
        message = null;
        lock (_book.Gate)
        {
            stream = _stream;
            if (stream is null || _returns.Count == 0)
            {
                return false;
            }

            _writer.Clear();
            DispatchCodec.WriteReturned(_writer, _returns);
            _returns.Clear();
        }

        message = RawMessage.Copy(_writer.Written);
        return true;
    }

    protected override void Broken(IMessageStream stream, LinkException exception) => stream.Abort();

    // Returning is rare; whoever does it may as well finish it.
    protected override void HandOver() => Flush(isOwner: true);

    private async ValueTask<LinkException?> TryStreamAsync(
        Registration registration, int attempt, CancellationToken ended)
    {
        try
        {
            if (registration.SchedulerAddresses.Count == 0)
            {
                throw new LinkException(FaultCode.Unavailable, "the Register knows no Scheduler yet");
            }

            var address = registration.SchedulerAddresses[attempt % registration.SchedulerAddresses.Count];
            _return.Trying(address);
            await RunStreamAsync(address, registration, ended).ConfigureAwait(false);
            return null;
        }
        catch (LinkException exception)
        {
            return exception;
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return null;
        }
        catch (WireFormatException exception)
        {
            return new(FaultCode.Unavailable, $"the Scheduler's message is damaged: {exception.Message}");
        }
    }

    private async ValueTask RunStreamAsync(string address, Registration registration, CancellationToken ended)
    {
        var stream = await _parts.Transport.OpenDispatchAsync(address, ended).ConfigureAwait(false);
        using var abort = ended.UnsafeRegister(static stream => ((IMessageStream)stream!).Abort(), stream);
        var openedAt = _time.GetTimestamp();
        try
        {
            await stream.WriteAsync(Hello(registration)).ConfigureAwait(false);
            lock (_book.Gate)
            {
                _stream = stream;
            }

            Flush();
            while (await stream.ReadAsync().ConfigureAwait(false) is { } message)
            {
                using (message)
                {
                    Take(message.Span, registration);
                }

                Recovered();
            }
        }
        finally
        {
            if (_time.GetElapsedTime(openedAt).TotalMilliseconds >= WorkerLimits.ReconnectMsMax)
            {
                // It was good, only there was nothing to say.
                Recovered();
            }

            lock (_book.Gate)
            {
                _stream = null;
                _helloMade = false;
                _returns.Clear();
            }

            await stream.DisposeAsync().ConfigureAwait(false);
        }
    }

    private void Recovered()
    {
        _backoff.Reset();
        _return.Reached();
        _outageTold = false;
        _failures = 0;
    }

    private RawMessage Hello(Registration registration)
    {
        using var writer = new ProtoWriter();
        var inHand = new List<AttemptKey>();
        var unconfirmed = new List<AttemptKey>();
        ulong endedTotal;
        lock (_book.Gate)
        {
            _book.Describe(inHand, unconfirmed);
            _helloMade = true;
            endedTotal = _book.EndedTotal;
        }

        DispatchCodec.WriteHello(
            writer, registration.WorkerId, _parts.Identity.Nonce, inHand, unconfirmed, endedTotal);
        return RawMessage.Copy(writer.Written);
    }

    private void Take(ReadOnlySpan<byte> bytes, Registration registration)
    {
        _cancels.Clear();
        _receivedAt = _time.GetTimestamp();
        bool returns, results;
        lock (_book.Gate)
        {
            if (_registration?.WorkerId != registration.WorkerId)
            {
                return;
            }

            DispatchCodec.Read(bytes, this);
            returns = _returns.Count > 0;
            results = _book.Results.Unsent > 0;
        }

        _parts.Executor.StartWaiting();
        if (_cancels.Count > 0)
        {
            _parts.Executor.Abandon([.. _cancels]);
        }

        if (returns)
        {
            Flush();
        }

        if (results)
        {
            _parts.Flush();
        }
    }

    private async ValueTask RecoverAsync(LinkException? reason, CancellationToken ended)
    {
        if (!_outageTold)
        {
            _outageTold = true;
            WorkerLog.SchedulerLost(_parts.Log, reason?.Message ?? "it ended the stream");
        }

        if (reason is { IsFenced: true } || ++_failures % WorkerLimits.SchedulerFailuresMax == 0)
        {
            _parts.RegistrationDoubted();
        }

        try
        {
            await _return.WaitAsync(_backoff.Next(reason), ended).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The worker stops, or has another registration: the loop looks.
        }
    }
}
