// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Core.Tasks;
using Muster.Worker.Commands;
using Muster.Worker.Handlers;

namespace Muster.Worker.Attempts;

/// <summary>
/// One attempt on this worker, from its assignment until its result is confirmed. The first block never changes; the
/// rest is guarded by the lock of the <see cref="AttemptBook"/>.
/// </summary>
internal sealed class HeldAttempt
{
    public required AttemptKey Key { get; init; }

    /// <summary>1 for the task's first start.</summary>
    public required uint Execution { get; init; }

    public required HandlerEntry Handler { get; init; }

    /// <summary>0: no limit.</summary>
    public required ulong TimeoutMs { get; init; }

    public required long ReceivedAt { get; init; }

    /// <summary>What the handler gets; let go of when the attempt ends.</summary>
    public required ReadOnlyMemory<byte> Payload { get; set; }

    public AttemptPhase Phase { get; set; }

    /// <summary>Place in the list of running attempts.</summary>
    public int RunningIndex { get; set; } = -1;

    public long StartedAt { get; set; }

    /// <summary>When it must have ended; <see cref="long.MaxValue"/> without a limit.</summary>
    public long DeadlineAt { get; set; } = long.MaxValue;

    public long FinishedAt { get; set; }

    /// <summary>Cancelled or given to another worker: what it returns is not wanted.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>Its time is over.</summary>
    public bool IsTimedOut { get; set; }

    /// <summary>Its handler was asked to stop.</summary>
    public bool IsStopWanted { get; set; }

    /// <summary>Number of its result, or 0 while there is none.</summary>
    public ulong ResultNumber { get; set; }

    public bool IsConfirmed { get; set; }

    public AttemptEnd End { get; set; }

    /// <summary>What its handler watches; null when the handler takes no token.</summary>
    public CancellationTokenSource? Cancel { get; set; }

    /// <summary>Its process; null when it is no command or not started.</summary>
    public ChildProcess? Child { get; set; }

    public bool IsReported => ResultNumber != 0;

    /// <summary>Bytes that its result keeps in memory.</summary>
    public long ResultBytes => End.Output.Length + (End.Failure?.Bytes ?? 0);

    /// <summary>Lets go of what only the run needed.</summary>
    public void Release()
    {
        Payload = default;
        Child = null;
        Cancel = null;
    }
}
