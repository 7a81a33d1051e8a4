// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using Muster.Checking;
using Muster.Client.Sessions;
using Muster.Core;
using Muster.Plm;
using Muster.Simulation.Faults;
using Muster.Simulation.Kernel;
using Muster.Simulation.Network;
using Muster.Simulation.Roles;
using Muster.Transport.Wire;

namespace Muster.Simulation.Actors;

/// <summary>
/// A program that submits and awaits: the SDK's real <see cref="SessionLedger"/>, with connections and time as its
/// engine would give it. It never submits again what was accepted; what was not answered the ledger decides.
/// </summary>
internal sealed partial class ClientProcess(World world, SimCell cell, int index, int host)
    : SimProcess(world, index, host), ILinkEnd
{
    private const long WelcomeUsMax = SessionLimits.WelcomeMsMax * 1_000L;

    private readonly SessionEvents _events = new();
    private readonly ProtoWriter _writer = new();
    private readonly List<SimTask> _cancellable = [];
    private readonly List<PlannedBatch> _planned = [];
    private SessionLedger _ledger = null!;
    private string _name = "";
    private ulong _clientId;
    private SimLink? _link;
    private bool _isWelcomed;
    private bool _isPumping;
    private bool _isConnecting;
    private int _failures;

    public override string Name => _name;

    /// <summary>Something waits for the cell, or is still to be submitted.</summary>
    public bool HasWork => _planned.Count > 0 || _ledger.HasWork;

    /// <summary>Submissions to make, in the order of their moments.</summary>
    public void Plan(PlannedBatch batch) => _planned.Add(batch);

    /// <summary>Asks for the cancellation of one of the tasks that it waits for.</summary>
    public void CancelOne(bool byCall)
    {
        _cancellable.RemoveAll(static task => task.IsOver);
        if (!IsUp || IsPaused || _cancellable.Count == 0)
        {
            return;
        }

        var task = _cancellable[World.Random.Below(_cancellable.Count)];
        if (byCall && task.Stage == PendingStage.Accepted)
        {
            CallCancel(task);
        }
        else
        {
            _ledger.WantCancel(task);
            PumpSoon(0);
        }
    }

    public void Accepted(SimTask task) => Record(
        HistoryOp.Submit, task, HistoryOutcome.Ok, detail: Facts(task).Detail, id: task.Id.Value);

    public void Ended(SimTask task)
    {
        if (task.Refusal is { } refusal)
        {
            // A refusal by the cell says that it was not taken; a lost connection says nothing.
            var outcome = refusal.Code == "UNAVAILABLE" ? HistoryOutcome.Unknown : HistoryOutcome.Refused;
            Record(HistoryOp.Submit, task, outcome, detail: Facts(task).Detail);
        }
        else if (task.Error?.Code == FaultCodes.Name(FaultCode.TaskIdFromEarlierArena)
            || task.Error?.Code == FaultCodes.Name(FaultCode.TaskLost))
        {
            Record(HistoryOp.Forgotten, task, HistoryOutcome.Unknown, id: task.Id.Value);
        }
    }

    void ILinkEnd.Received(byte[] message)
    {
        if (_isWelcomed)
        {
            _ledger.Receive(message, NowMs, _events);
            _failures = 0;
        }
        else
        {
            _isWelcomed = true;
            _ledger.ReceiveWelcome(message, NowMs, _events);
        }

        _events.Tell();
        RecordResults(message);
        PumpSoon(0);
    }

    void ILinkEnd.Ended(Fault fault)
    {
        _link = null;
        _failures++;
        switch (fault.Code)
        {
            case FaultCode.SessionUnknown:
                _clientId = World.Random.Next64() | 1;
                break;
            case FaultCode.InvalidArgument or FaultCode.SessionTakenOver or FaultCode.BatchTooLarge:
                throw new SeedFailure($"{_name} was refused: {fault.Code} {fault.Message}");
            default:
                break;
        }

        ConnectSoon();
    }

    void ILinkEnd.Arrived()
    {
    }

    protected override void OnStart()
    {
        _name = $"c{Index}.{Life}";
        _ledger = new SessionLedger(new JitterSource(World.Random), (ulong)World.NowUs);
        _cancellable.Clear();
        _isWelcomed = false;
        _isPumping = false;
        _isConnecting = false;
        _link = null;
        _failures = 0;
        if (_clientId == 0)
        {
            _clientId = World.Random.Next64() | 1;
        }

        ConnectSoon();
        ScheduleNextBatch();
    }

    protected override void OnKill()
    {
    }

    private long NowMs => 7_000 + (World.NowUs / 1_000);

    private void ScheduleNextBatch()
    {
        if (_planned.Count > 0)
        {
            After(Math.Max(0, _planned[0].AtUs - World.NowUs), SubmitNext);
        }
    }

    private void SubmitNext()
    {
        var batch = _planned[0];
        _planned.RemoveAt(0);
        foreach (var item in batch.Items)
        {
            var task = new SimTask(this, item.Key, batch.Level, batch.Options, item.Payload)
            {
                // What is unsure is then sent again under the same key; that changes nothing if nothing was lost.
                IdempotencyKey = item.Key % 4 == 0 ? item.Key.ToString(CultureInfo.InvariantCulture) : null,
            };
            Record(HistoryOp.Submit, task, HistoryOutcome.Unknown, HistoryHash.Of(item.Payload), Facts(task).Detail);
            _ledger.Enqueue(task);
            _cancellable.Add(task);
        }

        PumpSoon(0);
        ScheduleNextBatch();
    }

    private void ConnectSoon()
    {
        if (_isConnecting)
        {
            return;
        }

        _isConnecting = true;
        var fullMs = Math.Min(
            SessionLimits.BackoffMsMax, SessionLimits.BackoffMsFirst << Math.Min(Math.Max(0, _failures - 1), 10));
        After(_failures == 0 ? 100 : World.Random.Range(fullMs * 500L, fullMs * 1_000L), Connect);
    }

    private void Connect()
    {
        _isConnecting = false;
        _isWelcomed = false;
        var link = _link = World.Network.Connect(this, cell.Plm, this, cell.Plm.AcceptSession);
        _ledger.EncodeHello(_writer, _clientId, _name);
        link.SendUp(_writer.Written.ToArray());
        After(WelcomeUsMax, () =>
        {
            if (_link == link && !_isWelcomed)
            {
                link.CloseByClient();
                ((ILinkEnd)this).Ended(new(FaultCode.Unavailable, "no welcome"));
            }
        });
    }

    // The wire is free again a moment after a message: what comes meanwhile goes into the next one.
    private void PumpSoon(long delayUs)
    {
        if (_isPumping)
        {
            return;
        }

        _isPumping = true;
        After(delayUs, Pump);
    }

    private void Pump()
    {
        _isPumping = false;
        if (_link is not { } link || !_isWelcomed)
        {
            return;
        }

        if (_ledger.TryEncode(_writer, NowMs, _events))
        {
            link.SendUp(_writer.Written.ToArray());
            PumpSoon(World.Random.Range(5, 200));
        }
        else if (_ledger.HoldUntilMs > NowMs)
        {
            After((_ledger.HoldUntilMs - NowMs) * 1_000, () => PumpSoon(0));
        }

        _events.Tell();
    }

    private void CallCancel(SimTask task)
    {
        var id = task.Id.Value;
        var answers = new CancelAnswer[1];
        World.Network.Call(
            this,
            cell.Plm,
            answer => cell.Plm.TryTurn((core, _) =>
            {
                core.Cancel([id], answers);
                cell.Plm.WhenReached(core.SealFacts(), DurabilityLevel.Durable, answer);
            }),
            () => Record(
                HistoryOp.Cancel,
                task,
                answers[0] == CancelAnswer.Cancelled ? HistoryOutcome.Ok : HistoryOutcome.Refused,
                id: id));
    }
}
