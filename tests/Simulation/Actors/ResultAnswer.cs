// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Plm;
using Muster.Server.PlmHosting;
using Muster.Simulation.Roles;

namespace Muster.Simulation.Actors;

/// <summary>One call that awaits a task's end, as AwaitCall does in the product.</summary>
internal sealed class ResultAnswer(SimCell cell) : ITaskAwaiter
{
    private Action? _reply;

    /// <summary>The encoded TaskResult; null: the cell does not know the task.</summary>
    public byte[]? Result { get; private set; }

    /// <summary>Inside a turn.</summary>
    public void Take(PlmCore core, ulong task, PlmTime now, Action reply)
    {
        _reply = reply;
        var fault = core.Await(new TaskId(task), this, out var slot, out var isDone);
        if (!fault.IsNone)
        {
            cell.Plm.AfterTurn(reply);
        }
        else if (isDone)
        {
            Resolve(slot, now);
        }
    }

    public void Resolve(uint slot, PlmTime now)
    {
        var writer = cell.Plm.Writer;
        var before = writer.Length;
        ResultBytes.WriteResult(writer, cell.Arena, slot, now);
        Result = writer.Written[before..].ToArray();
        writer.Truncate(before);
        cell.Plm.AfterTurn(_reply!);
    }
}
