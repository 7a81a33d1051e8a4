// SPDX-License-Identifier: Apache-2.0
namespace Muster.Shared.Histories;

/// <summary>What a client did or saw.</summary>
internal enum HistoryOp
{
    /// <summary>
    /// The client was given its session's id, which stands in the place of the task's, or met another epoch of the
    /// cell, which stands in the place of the ref.
    /// </summary>
    Join,

    /// <summary>A submission was sent; whether it was taken is not known yet.</summary>
    Submit,

    /// <summary>The submission was answered OK: from here on the task may not be lost.</summary>
    Accept,

    /// <summary>The submission was answered with a refusal: the task does not exist.</summary>
    Refuse,

    /// <summary>After a break the server said that it does not know the submission: the task does not exist.</summary>
    Unknown,

    /// <summary>A result came, for the first time or again.</summary>
    Result,

    /// <summary>The server said that it has no such task any more, though it had accepted it.</summary>
    Missing,
}
