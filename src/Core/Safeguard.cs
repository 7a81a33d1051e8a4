// SPDX-License-Identifier: Apache-2.0
#if SEAMS
using System;
#endif

namespace Muster.Core;

/// <summary>
/// What keeps the promise, named at the lines where it is kept. In the product each is a constant that the compiler
/// folds away; the simulation's own build of the product can remove one at a time, and must then notice.
/// </summary>
internal static class Safeguard
{
#if SEAMS
    /// <summary>The ones that are removed on this thread, by name.</summary>
    [field: ThreadStatic]
    public static string? Removed { get; set; }

    public static bool Fence => Removed != nameof(Fence);

    public static bool NewAttempt => Removed != nameof(NewAttempt);

    public static bool CellEpoch => Removed != nameof(CellEpoch);

    public static bool SyncBeforeAnswer => Removed != nameof(SyncBeforeAnswer);

    public static bool SyncBeforeDelivery => Removed != nameof(SyncBeforeDelivery);

    public static bool KnownKeys => Removed != nameof(KnownKeys);

    public static bool KeptKeys => Removed != nameof(KeptKeys);

    public static bool JournaledKeys => Removed != nameof(JournaledKeys);

    public static bool KnownRefs => Removed != nameof(KnownRefs);

    public static bool MarkBeforeLeaving => Removed != nameof(MarkBeforeLeaving);

    public static bool CopiesGo => Removed != nameof(CopiesGo);

    public static bool CancelBeforeAnswer => Removed != nameof(CancelBeforeAnswer);
#else
    /// <summary>A result counts only if it is of the current attempt, and from the worker that holds it.</summary>
    public const bool Fence = true;

    /// <summary>A task that is given out again, after a lease ended too, gets another attempt.</summary>
    public const bool NewAttempt = true;

    /// <summary>A new arena has a higher epoch than any before it.</summary>
    public const bool CellEpoch = true;

    /// <summary>A submission is answered once it is as durable as was promised.</summary>
    public const bool SyncBeforeAnswer = true;

    /// <summary>A result is delivered once it is as durable as was promised.</summary>
    public const bool SyncBeforeDelivery = true;

    /// <summary>A submission whose idempotency key is known is the first one's task.</summary>
    public const bool KnownKeys = true;

    /// <summary>A PLM that starts knows the keys that the one before it took.</summary>
    public const bool KeptKeys = true;

    /// <summary>A key is recorded with its task, as durably.</summary>
    public const bool JournaledKeys = true;

    /// <summary>A client that comes back is told which of its submissions were taken.</summary>
    public const bool KnownRefs = true;

    /// <summary>Tasks that went to disk are said to be there before their slots are free.</summary>
    public const bool MarkBeforeLeaving = true;

    /// <summary>A PLM that starts takes no slot for a task that is on disk.</summary>
    public const bool CopiesGo = true;

    /// <summary>A cancelled task has ended before the answer says so.</summary>
    public const bool CancelBeforeAnswer = true;
#endif
}
