// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>What a request to cancel a task came to. The values are those of the wire.</summary>
internal enum CancelAnswer : byte
{
    None = 0,

    /// <summary>The task ended Cancelled; no result of it will ever be shown.</summary>
    Cancelled = 1,

    /// <summary>It had ended before, in another way.</summary>
    AlreadyDone = 2,

    /// <summary>No task has that id, or it was forgotten.</summary>
    NotFound = 3,

    /// <summary>It had been cancelled before: nothing changed.</summary>
    AlreadyCancelled = 4,
}
