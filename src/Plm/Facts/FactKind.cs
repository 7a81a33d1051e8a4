// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm.Facts;

/// <summary>What a fact in the journal says. The values are on disk: a number is never given another meaning.</summary>
internal enum FactKind : byte
{
    None = 0,

    /// <summary>An arena was made: varint epoch of the cell, u64 the arena's random id.</summary>
    ArenaMade = 1,

    /// <summary>As SubmittedAs, with the options in the fact itself. Not written any more.</summary>
    Submitted = 2,

    /// <summary>
    /// An attempt ended badly and the task goes on: u64 id; u8 each how many failed, were lost with their worker, and
    /// killed it; varint the attempt, which is over with all before it; then, to the end, what is remembered of the
    /// task's attempts, as <see cref="Attempts.HistoryBytes"/> lays entries out.
    /// </summary>
    AttemptFailed = 3,

    /// <summary>A task ended, with its outcome and result.</summary>
    Ended = 4,

    /// <summary>Tasks that may start once only may now: u64 ids. One that has not ended may have started.</summary>
    Granted = 6,

    /// <summary>How long attempts of a handler run: bytes name, f32 decayed mean in microseconds.</summary>
    HandlerModel = 7,

    /// <summary>Ended tasks were confirmed or forgotten: nobody asks for them again.</summary>
    Released = 5,

    /// <summary>
    /// An ended task with an idempotency key was confirmed, and stays without its session: u64 id, varint wall clock ms
    /// since 1970 until which.
    /// </summary>
    Kept = 8,

    /// <summary>An idempotency key whose task has ended, and may be gone.</summary>
    KeyKnown = 9,

    /// <summary>What tasks have in common that were submitted alike, and its number. Before its first use.</summary>
    Profile = 10,

    /// <summary>Tasks were accepted: the number of their profile, and each one's id and payload.</summary>
    SubmittedAs = 11,

    /// <summary>
    /// As SubmittedAs, and before it the varint number of the identity that submitted; not written for 0, the cell's
    /// own user.
    /// </summary>
    SubmittedBy = 12,
}
