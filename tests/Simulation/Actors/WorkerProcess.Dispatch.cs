// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Simulation.Network;
using Muster.Worker;
using Muster.Worker.Attempts;
using Muster.Worker.Handlers;
using Muster.Worker.Links;

namespace Muster.Simulation.Actors;

/// <content>The stream from the Scheduler, by the rules of DispatchLink.</content>
internal sealed partial class WorkerProcess : IDispatchReader
{
    private readonly List<AttemptKey> _returns = [];
    private readonly List<AttemptKey> _cancels = [];
    private SimLink? _dispatch;
    private ulong _dispatchId;
    private long _dispatchOpenedUs;
    private long _dispatchBackoffMs;
    private int _dispatchFailures;
    private bool _isOpeningDispatch;
    private HandlerEntry? _group;
    private AttemptLimits _groupLimits;

    private void StartDispatch()
    {
        _dispatch = null;
        _dispatchId = 0;
        _dispatchBackoffMs = WorkerLimits.ReconnectMsMin;
        _dispatchFailures = 0;
        _isOpeningDispatch = false;
        _returns.Clear();
    }

    // The Register welcomed this worker under an id, or has given it up (null).
    private void UseRegistration(Registration? registration)
    {
        if (_dispatch is { } link && _dispatchId != registration?.WorkerId)
        {
            link.CloseByClient();
            CloseDispatch();
        }

        if (registration is not null && _dispatch is null)
        {
            OpenDispatchSoon(0);
        }
    }

    private void OpenDispatchSoon(long delayUs)
    {
        if (!_isOpeningDispatch)
        {
            _isOpeningDispatch = true;
            After(delayUs, OpenDispatch);
        }
    }

    private void OpenDispatch()
    {
        _isOpeningDispatch = false;
        if (_registration is not { } registration || _dispatch is not null)
        {
            return;
        }

        SimLink? link = null;
        var end = new WorkerEnd(message => DispatchReceived(link!, message), fault => DispatchEnded(link!, fault));
        link = _dispatch = World.Network.Connect(this, _cell.Scheduler, end, _cell.Scheduler.AcceptDispatch);
        _dispatchId = registration.WorkerId;
        _dispatchOpenedUs = World.NowUs;
        var inHand = new List<AttemptKey>();
        var unconfirmed = new List<AttemptKey>();
        _book.Describe(inHand, unconfirmed);
        _writer.Clear();
        DispatchCodec.WriteHello(
            _writer, registration.WorkerId, _identity.Nonce, inHand, unconfirmed, _book.EndedTotal);
        link.SendUp(_writer.Written.ToArray());
    }

    private void CloseDispatch()
    {
        _dispatch = null;
        _dispatchId = 0;
        _returns.Clear();
    }

    private void DispatchReceived(SimLink link, byte[] message)
    {
        if (_dispatch != link)
        {
            return;
        }

        _cancels.Clear();
        DispatchCodec.Read(message, this);
        StartWaiting();
        foreach (var key in _cancels.ToArray())
        {
            Abandon(key);
        }

        FlushReturns();
        FlushResults();
        DispatchIsGood();
    }

    private void DispatchEnded(SimLink link, Fault fault)
    {
        if (_dispatch != link)
        {
            return;
        }

        if (World.NowUs - _dispatchOpenedUs >= WorkerLimits.ReconnectMsMax * 1_000L)
        {
            DispatchIsGood();
        }

        CloseDispatch();
        if (fault.Code == FaultCode.InvalidArgument)
        {
            throw new Faults.SeedFailure($"{_name} was refused by the Scheduler: {fault.Message}");
        }

        var isFenced = fault.Code is FaultCode.WorkerFenced or FaultCode.WorkerUnknown;
        if ((isFenced || ++_dispatchFailures % WorkerLimits.SchedulerFailuresMax == 0) && _heartbeat is { } heartbeat)
        {
            // It doubts that it is still registered and asks anew.
            heartbeat.CloseByClient();
            HeartbeatEnded(heartbeat, new(FaultCode.Unavailable, "asks again"));
        }

        var waitUs = Backoff(ref _dispatchBackoffMs, World.Random);
        OpenDispatchSoon(Math.Max(waitUs, fault.RetryAfterMs * 1_000L));
    }

    private void DispatchIsGood()
    {
        _dispatchBackoffMs = WorkerLimits.ReconnectMsMin;
        _dispatchFailures = 0;
    }

    private void ReturnUnstarted(List<AttemptKey> keys)
    {
        if (_dispatch is not null)
        {
            _returns.AddRange(keys);
            FlushReturns();
        }
    }

    private void FlushReturns()
    {
        if (_dispatch is { } link && _returns.Count > 0)
        {
            _writer.Clear();
            DispatchCodec.WriteReturned(_writer, _returns);
            _returns.Clear();
            link.SendUp(_writer.Written.ToArray());
        }
    }

    void IDispatchReader.Group(ReadOnlySpan<byte> handler, in AttemptLimits limits)
    {
        _group = _handlers.Find(handler);
        _groupLimits = limits;
    }

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

        _book.Add(new HeldAttempt
        {
            Key = key,
            Execution = execution,
            Handler = _group
                ?? throw new Faults.SeedFailure($"{_name} got a task for a handler that it does not offer"),
            Limits = _groupLimits,
            ReceivedAt = NowTicks,
            Payload = payload.ToArray(),
        });
    }

    void IDispatchReader.Cancel(AttemptKey key) => _cancels.Add(key);
}
