// SPDX-License-Identifier: Apache-2.0
using System.Text;
using Muster.Checking;
using Muster.Client.Sessions;

namespace Muster.Simulation.Actors;

/// <summary>One submission of a client, as its program awaits it.</summary>
internal sealed class SimTask(
    ClientProcess owner, ulong key, HistoryLevel level, EncodedTaskOptions options, byte[] payload)
    : PendingTask(options, payload)
{
    /// <summary>What the history calls it.</summary>
    public ulong Label { get; } = key;

    public HistoryLevel Level { get; } = level;

    /// <summary>It has an outcome, or its refusal is known.</summary>
    public bool IsOver { get; private set; }

    /// <summary>What the program got for it; 0: nothing.</summary>
    public ulong ResultHash => Refusal is null
        ? TaskBytes.HashResult(Outcome, Output.Span, Encoding.UTF8.GetBytes(Error?.Message ?? ""))
        : 0;

    public override void OnAccepted() => owner.Accepted(this);

    public override void OnEnded()
    {
        IsOver = true;
        owner.Ended(this);
    }
}
