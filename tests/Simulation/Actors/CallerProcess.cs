// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Client.Sessions;
using Muster.Core;
using Muster.Plm;
using Muster.Simulation.Faults;
using Muster.Simulation.Kernel;
using Muster.Simulation.Roles;
using Muster.Transport.Wire;

namespace Muster.Simulation.Actors;

/// <summary>
/// A program that submits by single calls, each with an idempotency key, and repeats a call until it is answered; then
/// it awaits the result and releases the task. When it is started again it remembers nothing but its keys.
/// </summary>
internal sealed partial class CallerProcess(World world, SimCell cell, int index, int host)
    : SimProcess(world, index, host)
{
    private const long AnswerUsMax = 1_500_000;

    private readonly List<Errand> _errands = [];
    private string _name = "";

    public override string Name => _name;

    /// <summary>Something is not submitted, not ended, or not released yet.</summary>
    public bool HasWork => _errands.Exists(static errand => !errand.IsOver);

    public void Plan(PlannedBatch batch)
    {
        foreach (var item in batch.Items)
        {
            _errands.Add(new Errand(batch, item));
        }
    }

    protected override void OnStart()
    {
        _name = $"k{Index}.{Life}";
        foreach (var errand in _errands)
        {
            if (!errand.IsOver)
            {
                errand.Task = 0;
                After(Math.Max(0, errand.Batch.AtUs - World.NowUs), () => Submit(errand));
            }
        }
    }

    protected override void OnKill()
    {
    }

    private void Submit(Errand errand)
    {
        if (!errand.IsSent)
        {
            errand.IsSent = true;
            Record(HistoryOp.Submit, errand, HistoryOutcome.Unknown, HistoryHash.Of(errand.Item.Payload));
        }

        var answer = new SubmitAnswer();
        Call(errand, reply => TakeSubmit(errand, answer, reply), () => Submitted(errand, answer), () => Submit(errand));
    }

    // Inside the PLM's process.
    private void TakeSubmit(Errand errand, SubmitAnswer answer, Action reply) => cell.Plm.TryTurn((core, _) =>
    {
        var receipt = BatchTurn.Submit(core, cell, null, null, errand.Encode(), out answer.Fault);
        if (!answer.Fault.IsNone)
        {
            cell.Plm.AfterTurn(reply);
            return;
        }

        answer.Task = receipt.Ids[0];
        answer.Fault = receipt.Faults.Count > 0 ? receipt.Faults[0].Fault : Fault.None;
        cell.Plm.WhenReached(receipt.Sequence, receipt.Durability, reply);
    });

    private void Submitted(Errand errand, SubmitAnswer answer)
    {
        if (answer.Fault.IsNone)
        {
            errand.Task = answer.Task;
            Record(HistoryOp.Submit, errand, HistoryOutcome.Ok);
            Await(errand);
        }
        else if (answer.Fault.RetryAfterMs > 0)
        {
            After(answer.Fault.RetryAfterMs * 1_000L, () => Submit(errand));
        }
        else
        {
            throw new SeedFailure($"{_name} was refused: {answer.Fault.Code} {answer.Fault.Message}");
        }
    }

    private void Await(Errand errand)
    {
        var answer = new ResultAnswer(cell);
        Call(
            errand,
            reply => cell.Plm.TryTurn((core, now) => answer.Take(core, errand.Task, now, reply)),
            () => Ended(errand, answer),
            () => Await(errand));
    }

    private void Ended(Errand errand, ResultAnswer answer)
    {
        if (answer.Result is { } result)
        {
            ResultFacts.Record(World, this, result);
            errand.IsEnded = true;
            Release(errand);
            return;
        }

        // An earlier life may have released it. Otherwise the cell has lost what it accepted, and says so.
        errand.IsOver = true;
        if (!errand.IsEnded)
        {
            Record(HistoryOp.Forgotten, errand, HistoryOutcome.Unknown);
        }
    }

    private void Release(Errand errand) => Call(
        errand,
        reply => cell.Plm.TryTurn((core, _) =>
        {
            core.ReleaseTasks([errand.Task]);
            cell.Plm.AfterTurn(reply);
        }),
        () => errand.IsOver = true,
        () => Release(errand));

    // A call that is not answered in time is made again. One that is answered twice counts once.
    private void Call(Errand errand, Action<Action> atServer, Action answered, Action again)
    {
        var number = ++errand.Calls;
        World.Network.Call(this, cell.Plm, atServer, () =>
        {
            if (number == errand.Calls)
            {
                errand.Calls++;
                answered();
            }
        });
        After(AnswerUsMax, () =>
        {
            if (number == errand.Calls)
            {
                again();
            }
        });
    }

    private void Record(HistoryOp op, Errand errand, HistoryOutcome outcome, ulong value = 0)
    {
        var options = errand.Batch.Options.Options;
        var detail = op == HistoryOp.Submit
            ? new SubmitFacts((byte)options.AttemptsMax, (byte)options.Priority, 0).Detail
            : 0;
        World.Record(
            new(
                World.NowUs,
                _name,
                op,
                errand.Task,
                errand.Item.Key,
                0,
                errand.Batch.Level,
                outcome,
                value,
                detail),
            Index);
    }

    /// <summary>One task from its first call to its release.</summary>
    private sealed class Errand(PlannedBatch batch, PlannedTask item)
    {
        public PlannedBatch Batch { get; } = batch;

        public PlannedTask Item { get; } = item;

        public ulong Task { get; set; }

        public bool IsSent { get; set; }

        public bool IsEnded { get; set; }

        public bool IsOver { get; set; }

        public int Calls { get; set; }

        public byte[] Encode()
        {
            using var writer = new ProtoWriter();
            writer.WriteBytesAlways(2, Batch.Options.Bytes);
            var begin = writer.Begin(3);
            writer.WriteBytes(1, Item.Payload);
            writer.WriteString(2, $"key-{Item.Key:x}");
            writer.End(begin);
            return writer.Written.ToArray();
        }
    }

    private sealed class SubmitAnswer
    {
        public ulong Task;
        public Fault Fault;
    }
}
