// SPDX-License-Identifier: Apache-2.0
namespace Muster;

/// <summary>How a task ended, and so who ended it.</summary>
public enum Outcome : byte
{
    /// <summary>The task has not ended.</summary>
    None = 0,

    /// <summary>Its handler returned, or its command exited with 0.</summary>
    Succeeded = 1,

    /// <summary>Its handler threw, its command failed, or its worker was lost, and no attempt was left.</summary>
    Failed = 2,

    /// <summary>An attempt ran longer than its time limit, and no attempt was left.</summary>
    TimedOut = 3,

    /// <summary>A person or program cancelled it.</summary>
    Cancelled = 4,

    /// <summary>The system gave it up.</summary>
    Aborted = 5,

    /// <summary>It killed its workers too often.</summary>
    Quarantined = 6,

    /// <summary>It did not start in time.</summary>
    Expired = 7,
}
