// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Transport.Wire;

namespace Muster.Simulation.Actors;

/// <content>What the client writes down: each answer, and each result whenever it arrives.</content>
internal sealed partial class ClientProcess
{
    private static SubmitFacts Facts(SimTask task) => new(
        (byte)task.Options.Options.AttemptsMax, (byte)task.Options.Options.Priority, 0);

    private void Record(
        HistoryOp op, SimTask task, HistoryOutcome outcome, ulong value = 0, ulong detail = 0, ulong id = 0) =>
        World.Record(
            new(World.NowUs, _name, op, id, task.Label, 0, task.Level, outcome, value, detail), Index);

    // The ledger drops what nobody waits for; the history must not.
    private void RecordResults(ReadOnlySpan<byte> message)
    {
        var reader = new ProtoReader(message);
        while (reader.NextField())
        {
            if (reader.Field == 3)
            {
                RecordResult(reader.ReadBytes());
            }
            else
            {
                reader.Skip();
            }
        }
    }

    private void RecordResult(ReadOnlySpan<byte> result)
    {
        ulong id = 0;
        uint attempt = 0;
        ulong outcome = 0;
        ReadOnlySpan<byte> output = default;
        ReadOnlySpan<byte> error = default;
        var reader = new ProtoReader(result);
        while (reader.NextField())
        {
            switch (reader.Field)
            {
                case 1:
                    id = reader.ReadFixed64();
                    break;
                case 3:
                    outcome = reader.ReadVarint();
                    break;
                case 4:
                    attempt = reader.ReadUInt32();
                    break;
                case 6:
                    output = reader.ReadBytes();
                    break;
                case 7:
                    error = reader.ReadBytes();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        var hash = TaskBytes.HashResult((Outcome)outcome, output, TaskBytes.ErrorMessage(error));
        World.Record(
            new(
                World.NowUs,
                _name,
                HistoryOp.Result,
                id,
                World.KeyOf.GetValueOrDefault(id),
                attempt,
                Outcome: HistoryOutcome.Ok,
                Value: hash,
                Detail: outcome),
            Index);
    }
}
