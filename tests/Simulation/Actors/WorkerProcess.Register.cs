// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;
using Muster.Core.Tasks;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Transport.Wire;
using Muster.Worker;
using Muster.Worker.Attempts;
using Muster.Worker.Links;
using Muster.Worker.Runtime;

namespace Muster.Simulation.Actors;

/// <content>The stream to the Register, by the rules of RegisterLink and HeartbeatThread.</content>
internal sealed partial class WorkerProcess
{
    private readonly RegisterAnswer _answer = new();
    private readonly ProtoWriter _writer = new();
    private readonly List<HeldAttempt> _taken = [];
    private readonly List<ulong> _runningIds = [];
    private SimLink? _heartbeat;
    private bool _isWelcomed;
    private bool _isBeatDue;
    private bool _drainingSent;
    private bool _goodbyeSent;
    private ulong _endedSent;
    private long _intervalUs;
    private long _heartbeatBackoffMs;
    private Registration? _registration;

    private void StartHeartbeat()
    {
        _heartbeat = null;
        _isWelcomed = false;
        _isBeatDue = false;
        _drainingSent = false;
        _goodbyeSent = false;
        _registration = null;
        _intervalUs = WorkerLimits.IntervalMsDefault * 1_000L;
        _heartbeatBackoffMs = WorkerLimits.ReconnectMsMin;
        OpenHeartbeat();
        Beat();
    }

    private void OpenHeartbeat()
    {
        _isWelcomed = false;
        SimLink? link = null;
        var end = new WorkerEnd(message => HeartbeatReceived(link!, message), fault => HeartbeatEnded(link!, fault));
        link = _heartbeat = World.Network.Connect(this, _cell.Register, end, _cell.Register.AcceptHeartbeat);
        var inHand = new List<AttemptKey>();
        _book.DescribeClaims(inHand);
        _writer.Clear();
        HeartbeatCodec.WriteHello(_writer, _identity, _registration, inHand, _handlers.Names, _book.EndedTotal);
        link.SendUp(_writer.Written.ToArray());
        After(WorkerLimits.WelcomeMsMax * 1_000L, () =>
        {
            if (_heartbeat == link && !_isWelcomed)
            {
                link.CloseByClient();
                HeartbeatEnded(link, new(FaultCode.Unavailable, "no welcome"));
            }
        });
    }

    private void HeartbeatReceived(SimLink link, byte[] message)
    {
        if (_heartbeat != link)
        {
            return;
        }

        _answer.Read(message);
        if (!_isWelcomed)
        {
            Welcome(_answer.Welcome ?? throw new InvalidOperationException("the first answer holds no welcome"));
        }

        _book.Heard(NowTicks, _registration!.LeaseMs);
        _book.Confirm(_answer.ConfirmedNumber);
        foreach (var key in _answer.Superseded.ToArray())
        {
            Abandon(key);
        }

        SetInterval(_answer.IntervalMs);
        StartWaiting();
        FlushResults();
        TryGoodbye();
    }

    private void Welcome(Registration welcome)
    {
        if (welcome.IsFenced || (_registration is { } known && !IsSame(known, welcome)))
        {
            UseRegistration(null);
            AbandonAll();
        }

        _registration = welcome;
        UseRegistration(welcome);
        _book.Heard(NowTicks, welcome.LeaseMs);
        _book.Results.Rewind();
        _endedSent = ulong.MaxValue;
        _isWelcomed = true;
        _heartbeatBackoffMs = WorkerLimits.ReconnectMsMin;
        SetInterval(welcome.IntervalMs);
    }

    private static bool IsSame(Registration known, Registration welcome) =>
        known.CellId == welcome.CellId
        && (known.Epoch == welcome.Epoch ? known.WorkerId == welcome.WorkerId : known.Epoch < welcome.Epoch);

    private void HeartbeatEnded(SimLink link, Fault fault)
    {
        if (_heartbeat != link)
        {
            return;
        }

        _heartbeat = null;
        if (_goodbyeSent)
        {
            KillAndReturn();
            return;
        }

        if (fault.Code is FaultCode.WorkerFenced or FaultCode.WorkerUnknown)
        {
            _registration = null;
            UseRegistration(null);
            AbandonAll();
        }
        else if (fault.Code is FaultCode.InvalidArgument or FaultCode.OutputTooLarge)
        {
            throw new Faults.SeedFailure($"{_name} was refused by the Register: {fault.Message}");
        }

        var waitUs = Backoff(ref _heartbeatBackoffMs, World.Random);
        After(Math.Max(waitUs, fault.RetryAfterMs * 1_000L), OpenHeartbeat);
    }

    private static long Backoff(ref long nextMs, SimRandom random)
    {
        var fullMs = nextMs;
        nextMs = Math.Min(nextMs * 2, WorkerLimits.ReconnectMsMax);
        return random.Range(fullMs * 500, fullMs * 1_000);
    }

    private void SetInterval(uint ms)
    {
        if (ms != 0)
        {
            _intervalUs = Math.Clamp(ms, WorkerLimits.IntervalMsMin, WorkerLimits.IntervalMsMax) * 1_000L;
        }
    }

    private void Beat()
    {
        _isBeatDue = true;
        CheckDeadlines();
        FlushResults();
        After(_intervalUs, Beat);
    }

    private void FlushResults()
    {
        while (TrySendNext())
        {
        }
    }

    private bool TrySendNext()
    {
        if (_heartbeat is not { } link || !_isWelcomed || _goodbyeSent)
        {
            return false;
        }

        _taken.Clear();
        var isGiant = _book.Results.TakeUnsent(_taken) > WorkerLimits.MessageBytesSoftMax;
        var isBeat = _isBeatDue && !isGiant;
        var isGoodbye = _isLeaving && _book.IsEmpty;
        var ended = _book.EndedTotal;
        if (_taken.Count == 0 && !isBeat && ended == _endedSent && _drainingSent == _book.IsDraining && !isGoodbye)
        {
            return false;
        }

        _isBeatDue &= !isBeat;
        _endedSent = ended;
        _drainingSent = _book.IsDraining;
        _writer.Clear();
        foreach (var attempt in _taken)
        {
            HeartbeatCodec.WriteResult(_writer, attempt, NowTicks, 1);
        }

        HeartbeatCodec.WriteEndedTotal(_writer, ended);
        HeartbeatCodec.WriteDraining(_writer, _drainingSent);
        if (isBeat)
        {
            ListRunning();
            HeartbeatCodec.WriteBeat(_writer, _runningIds, new LoadSample(1, 2, 3, 4, 5));
        }

        if (isGoodbye)
        {
            HeartbeatCodec.WriteGoodbye(_writer);
            _goodbyeSent = true;
        }

        var bytes = _writer.Written.ToArray();
        link.SendUp(bytes);
        if (_cell.Plan.DuplicatePermille > 0 && World.Random.Chance(_cell.Plan.DuplicatePermille))
        {
            // A beat may come twice where something between the two repeats it.
            link.SendUp(bytes);
        }

        return true;
    }

    private void ListRunning()
    {
        _runningIds.Clear();
        foreach (var attempt in _book.Running)
        {
            if (!attempt.IsAbandoned && !attempt.IsReported)
            {
                _runningIds.Add(attempt.Key.Task.Value);
            }
        }
    }

    private void SayGoodbye()
    {
        FlushResults();

        // Whether or not anybody hears it, the process ends.
        After(WorkerLimits.GoodbyeMsMax * 1_000L, () =>
        {
            if (_isLeaving && _book.IsEmpty)
            {
                KillAndReturn();
            }
        });
    }
}
