// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>The loop that connects, reads and reconnects.</summary>
internal sealed partial class SessionEngine
{
    // All of these belong to the loop.
    private readonly SessionEvents _events = new();
    private ulong _clientId;
    private bool _wasConnected;
    private int _failures;
    private long _failingSinceMs;

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                await AwaitDemandAsync();
                try
                {
                    await PauseAsync();
                    await ServeAsync();
                }
                catch (MusterException failure)
                {
                    if (_isClosed)
                    {
                        return;
                    }

                    Judge(failure);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // The client is being closed; DisposeAsync waits for this.
        }
        catch (Exception bug)
        {
            // Whatever this is, nobody may wait for ever because of it.
            lock (_gate)
            {
                _isClosed = true;
                _link = null;
            }

            FailAll(new MusterException(
                "INTERNAL", $"the client stopped by a fault of its own: {bug.Message}", null, bug));
        }
    }

    /// <summary>One stream, from its opening to its end, which is always an exception.</summary>
    private async Task ServeAsync()
    {
        await using var link = await OpenAsync();
        var since = NowMs();
        try
        {
            await ReceiveAsync(link);
        }
        finally
        {
            // A stream that lived a while, if idle, has shown that the way is good: its end is a first failure again.
            if (NowMs() - since >= SessionLimits.BackoffMsMax)
            {
                _failures = 0;
            }

            lock (_gate)
            {
                _link = null;
            }
        }
    }

    private async Task<SessionLink> OpenAsync()
    {
        using var late = new CancellationTokenSource(TimeSpan.FromMilliseconds(SessionLimits.WelcomeMsMax), _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, late.Token);
        SessionLink? link = null;
        try
        {
            if (_clientId == 0)
            {
                _clientId = await _connector.RegisterAsync(limit.Token);
            }

            link = new(await _connector.OpenAsync(limit.Token));
            await GreetAsync(link, limit.Token);
            return link;
        }
        catch (Exception failure)
        {
            if (link is not null)
            {
                await link.DisposeAsync();
            }

            if (failure is OperationCanceledException && !_stop.IsCancellationRequested)
            {
                throw Unavailable("no answer within " + SessionLimits.WelcomeMsMax + " ms", failure);
            }

            throw;
        }
    }

    /// <summary>Hello and welcome; after it the link is the one that is sent on.</summary>
    private async Task GreetAsync(SessionLink link, CancellationToken cancellationToken)
    {
        RawMessage hello;
        lock (_gate)
        {
            _ledger.EncodeHello(link.Writer, _clientId, _options.Name);
            hello = RawMessage.Copy(link.Writer.Written);
        }

        await link.Stream.WriteAsync(hello).WaitAsync(cancellationToken);
        using var welcome = await link.Stream.ReadAsync(cancellationToken)
            ?? throw Unavailable("the server ended the stream");
        lock (_gate)
        {
            try
            {
                _ledger.ReceiveWelcome(welcome.Span, NowMs(), _events);
            }
            catch (WireFormatException damage)
            {
                throw Damaged(damage);
            }

            _link = link;
        }

        _wasConnected = true;
        Tell(_events);
        Pump();
    }

    private async Task ReceiveAsync(SessionLink link)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, link.Cut);
        while (true)
        {
            RawMessage? message;
            try
            {
                message = await link.Stream.ReadAsync(end.Token);
            }
            catch (OperationCanceledException) when (link.WriteFailure is { } failure && !_stop.IsCancellationRequested)
            {
                throw failure;
            }

            using (message ?? throw Unavailable("the server ended the stream"))
            {
                Receive(message);
            }
        }
    }

    private void Receive(RawMessage message)
    {
        lock (_gate)
        {
            try
            {
                _ledger.Receive(message.Span, NowMs(), _events);
            }
            catch (WireFormatException damage)
            {
                throw Damaged(damage);
            }
        }

        _failures = 0;

        // The confirmation leaves before the waiters run: it frees the server's memory, and they take their time.
        Pump();
        Tell(_events);
    }

    /// <summary>Decides what a failure means: try again, start a new session, or tell everybody who waits.</summary>
    private void Judge(MusterException failure)
    {
        var now = NowMs();
        if (_failures++ == 0)
        {
            _failingSinceMs = now;
        }

        if (failure.Code == FaultCodes.Name(FaultCode.SessionUnknown))
        {
            // The next welcome will show a session without our refs, and the ledger draws the consequences.
            _clientId = 0;
            return;
        }

        var limit = _wasConnected ? _options.ReconnectTimeout : _options.ConnectTimeout;
        var isOver = now - _failingSinceMs >= limit.TotalMilliseconds;
        if (!failure.IsTransient || isOver)
        {
            _failures = 0;
            _clientId = failure.Code == FaultCodes.Name(FaultCode.SessionTakenOver) ? 0 : _clientId;
            FailAll(failure.IsTransient ? GiveUp(failure, limit) : failure);
        }
    }

    private MusterException GiveUp(MusterException failure, TimeSpan limit) => Unavailable(
        $"no connection to {_connector.Address} for {limit.TotalSeconds:0.#} s ({failure.Message}); "
        + "is the cell running? 'muster up' starts one, and MUSTER_ADDRESS names another",
        failure);

    /// <summary>A stream that was damaged on its way is a broken stream; a new one starts from what is known.</summary>
    private static MusterException Damaged(WireFormatException damage) =>
        Unavailable("the server's message could not be read: " + damage.Message, damage);

    /// <summary>Doubles from the first pause to the longest, spread by half so that clients do not come back
    /// together.</summary>
    private async Task PauseAsync()
    {
        if (_failures > 0)
        {
            await _connector.PauseAsync(PauseAfter(_failures), _time, _stop.Token);
        }
    }

    private static TimeSpan PauseAfter(int failures)
    {
        var doubled = SessionLimits.BackoffMsFirst << Math.Min(failures - 1, 10);
        var full = Math.Min(SessionLimits.BackoffMsMax, doubled);
        return TimeSpan.FromMilliseconds((full / 2) + Random.Shared.Next((full / 2) + 1));
    }

    private async Task AwaitDemandAsync()
    {
        Task demand;
        lock (_gate)
        {
            demand = _demand.Task;
        }

        await demand.WaitAsync(_stop.Token);
    }
}
