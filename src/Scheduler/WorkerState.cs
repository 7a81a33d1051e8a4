// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler;

/// <summary>What the Scheduler remembers of one worker row; everything else it reads from the row itself.</summary>
internal struct WorkerState
{
    /// <summary>Of the registration that the rest belongs to.</summary>
    public uint Epoch;

    /// <summary>The row is in the capacity index.</summary>
    public bool IsListed;

    /// <summary>Number of the open Dispatch stream; 0 when none is open.</summary>
    public long Stream;

    /// <summary>Attempts that the worker had in hand when the stream opened, plus those sent since.</summary>
    public ulong Sent;

    /// <summary>The worker's own count of ended attempts when it wrote its hello.</summary>
    public ulong EndedAtHello;

    /// <summary>A slot may be assigned to this row; only then is a hello worth a scan of the slots.</summary>
    public bool MayHold;

    /// <summary>The stream had no room; no new work until it has.</summary>
    public bool IsFull;

    /// <summary>No new work before this moment; 0: not paused.</summary>
    public long PausedUntilMs;

    /// <summary>It runs a task that shall run alone; nothing else before that has ended.</summary>
    public bool IsAlone;

    /// <summary>It gets nothing new until it is idle, and then a task that shall run alone.</summary>
    public bool IsReserved;

    /// <summary>Since when it has no Dispatch stream, as far as anybody looked; 0: not looked yet.</summary>
    public long StreamlessSinceMs;

    /// <summary>How many attempts it may hold beyond its slots.</summary>
    public uint Prefetch;

    /// <summary>When its pace was last taken, and its count of ended attempts then.</summary>
    public long PacedAtMs;
    public ulong PacedEnded;
}
