// SPDX-License-Identifier: Apache-2.0
using System;
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
                ResultFacts.Record(World, this, reader.ReadBytes());
            }
            else
            {
                reader.Skip();
            }
        }
    }
}
