// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Checking;
using Muster.Simulation.Kernel;
using Muster.Transport.Wire;

namespace Muster.Simulation.Actors;

/// <summary>Results as clients see them, read from the wire by the simulation itself.</summary>
internal static class ResultFacts
{
    /// <summary>Writes down one encoded TaskResult that has arrived at a process.</summary>
    public static void Record(World world, SimProcess process, ReadOnlySpan<byte> result)
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
        world.Record(
            new(
                world.NowUs,
                process.Name,
                HistoryOp.Result,
                id,
                world.KeyOf.GetValueOrDefault(id),
                attempt,
                Outcome: HistoryOutcome.Ok,
                Value: hash,
                Detail: outcome),
            process.Index);
    }
}
