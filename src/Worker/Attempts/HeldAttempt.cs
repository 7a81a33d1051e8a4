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

    public AttemptLimits Limits { get; init; } = new(0, 0, WorkerLimits.CommandKillGraceMs);

    public required long ReceivedAt { get; init; }

    /// <summary>What the handler gets; let go of when the attempt ends.</summary>
    public required ReadOnlyMemory<byte> Payload { get; set; }

    // Without the lock: the handler's own threads say how far it is, as often as they like.
    private long _spokeAt;
    private string? _details;
    private int _hasNews;

    public AttemptPhase Phase { get; set; }

    /// <summary>Place in the list of running attempts.</summary>
    public int RunningIndex { get; set; } = -1;

    public long StartedAt { get; set; }

    /// <summary>When it must have ended; <see cref="long.MaxValue"/> without a limit.</summary>
    public long DeadlineAt { get; set; } = long.MaxValue;

    public long FinishedAt { get; set; }

    /// <summary>The longest silence in timestamps; 0: no limit.</summary>
    public long SilenceMax { get; set; }

    /// <summary>It was stopped because it said nothing for too long.</summary>
    public bool IsSilent { get; set; }

    /// <summary>When its time is over if it says nothing more; <see cref="long.MaxValue"/>: never.</summary>
    public long DueAt => SilenceMax == 0 ? DeadlineAt : Math.Min(DeadlineAt, Volatile.Read(ref _spokeAt) + SilenceMax);

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

    /// <summary>When it was last heard of. For any thread.</summary>
    public long SpokeAt => Volatile.Read(ref _spokeAt);

    /// <summary>It is not silent. For any thread, at any time.</summary>
    public void Speak(long now) => Volatile.Write(ref _spokeAt, now);

    /// <summary>It says how far it is. For any thread, at any time; the latest counts.</summary>
    public void Report(long now, string details)
    {
        Volatile.Write(ref _details, details);
        Volatile.Write(ref _hasNews, 1);
        Speak(now);
    }

    /// <summary>What it said since the last call.</summary>
    public bool TryTakeNews(out string details)
    {
        var hasNews = Volatile.Read(ref _hasNews) != 0 && Interlocked.Exchange(ref _hasNews, 0) != 0;
        details = hasNews ? Volatile.Read(ref _details)! : string.Empty;
        return hasNews;
    }

    /// <summary>Lets go of what only the run needed.</summary>
    public void Release()
    {
        Payload = default;
        Child = null;
        Cancel = null;
    }
}
