// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>One line of a history. What an op does not use is 0.</summary>
/// <param name="TimeUs">One clock for the whole history.</param>
/// <param name="Actor">Who; a process that was started again is another one.</param>
/// <param name="Op">What, which says what the rest means.</param>
/// <param name="Task">The cell's id.</param>
/// <param name="Key">The client's own name for the submission; never used twice.</param>
/// <param name="Attempt">The attempt's number.</param>
/// <param name="Level">What was asked for.</param>
/// <param name="Outcome">What is known of it.</param>
/// <param name="Value">Hash of the bytes that matter, or a number.</param>
/// <param name="Detail">Whatever else the op needs.</param>
internal readonly record struct HistoryEntry(
    long TimeUs,
    string Actor,
    HistoryOp Op,
    ulong Task = 0,
    ulong Key = 0,
    uint Attempt = 0,
    HistoryLevel Level = HistoryLevel.None,
    HistoryOutcome Outcome = HistoryOutcome.Unknown,
    ulong Value = 0,
    ulong Detail = 0);
