// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Plm;
using Muster.Server.PlmHosting;

namespace Muster.Simulation.Roles;

/// <summary>What the PLM's host does with a batch inside a turn, with a session or without one.</summary>
internal static class BatchTurn
{
    public static BatchReceipt Submit(
        PlmCore core,
        SimCell cell,
        PlmSession? session,
        IResultStream? stream,
        ReadOnlySpan<byte> batch,
        out Fault fault)
    {
        var items = BatchBytes.CountItems(batch, out var firstRef);
        BatchBytes.FindOptions(batch, out var options);
        var refusal = TaskRules.TryMake(cell.Arena, options, out var spec, core.DurabilityDefault);
        fault = core.BeginBatch(session, stream, firstRef, items, spec, refusal);
        if (!fault.IsNone)
        {
            return default;
        }

        BatchBytes.AddItems(batch, core);
        return core.EndBatch();
    }
}
