// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm;

/// <summary>What an operator may set of the PLM's core. Checked as a whole by <see cref="Validate"/>.</summary>
internal sealed record PlmOptions
{
    /// <summary>
    /// Tasks that one session may have submitted and not confirmed, 1 to 250,000; more means that. 0, the default: half
    /// of the arena's tasks, so that one client cannot shut all others out.
    /// </summary>
    public uint OutstandingMax { get; init; }

    /// <summary>
    /// After how many ms a client refused for want of room should try again, 1 to 60,000. Default 50.
    /// </summary>
    public uint RetryAfterMs { get; init; } = 50;

    /// <summary>
    /// From how many tasks in the arena on others wait behind them, on disk when there are many; at most 7/8 of the
    /// arena's. 0, the default: 5/8 of the arena's tasks.
    /// </summary>
    public uint HoldFrom { get; init; }

    /// <summary>
    /// Waiting tasks of one class that go to disk together, 1 to 1,024. 0, the default: a 64th of the arena's tasks, 8
    /// to 1,024.
    /// </summary>
    public int ExtentTasks { get; init; }

    /// <summary>
    /// How long the session of a client that went away is kept, 1,000 ms to 30 days. Default 3,600,000 (an hour).
    /// </summary>
    public long SessionKeptMs { get; init; } = 3_600_000;

    /// <summary>
    /// How long an idempotency key is remembered after the end of its task when the submission does not say, 1,000 ms
    /// to 30 days. Default 86,400,000 (24 hours).
    /// </summary>
    public uint KeyRetentionMs { get; init; } = Core.TaskLimits.KeyRetentionMsDefault;

    /// <summary>The level of tasks that name none, in a cell with a journal: 1 to 3. Default 3, durable.</summary>
    public byte DurabilityDefault { get; init; } = DurabilityLevel.Durable;

    /// <summary>
    /// After the arena was made anew from the journal: how long tasks that workers may still run are held back for them
    /// to claim, 0 to 60,000 ms. Default 3,000, a worker's lease.
    /// </summary>
    public long ReattachMs { get; init; } = 3_000;

    /// <summary>
    /// A task that so many workers died of is not given to another one, 1 to 100. Default 3.
    /// </summary>
    public int CrashesMax { get; init; } = 3;

    /// <summary>
    /// How long a quarantined task is kept to be looked at and submitted anew, also when its client has confirmed the
    /// end; 0 to 30 days. Default 86,400,000 (a day).
    /// </summary>
    public long QuarantineKeptMs { get; init; } = 86_400_000;

    /// <summary>Calls of AwaitTask that may wait at once in the whole cell, 1 to 1,000,000. Default 65,536.</summary>
    public int AwaitersMax { get; init; } = 65_536;

    /// <summary>Throws when a value is outside its documented range.</summary>
    public void Validate()
    {
        Check(RetryAfterMs is >= 1 and <= 60_000, nameof(RetryAfterMs), "1 to 60,000");
        Check(
            SessionKeptMs is >= 1_000 and <= Core.TaskLimits.DurationMsMax, nameof(SessionKeptMs), "1,000 to 30 days");
        Check(
            KeyRetentionMs is >= 1_000 and <= (uint)Core.TaskLimits.DurationMsMax,
            nameof(KeyRetentionMs),
            "1,000 to 30 days");
        Check(
            DurabilityDefault is >= DurabilityLevel.Memory and <= DurabilityLevel.Durable,
            nameof(DurabilityDefault),
            "memory, relaxed or durable");
        Check(ExtentTasks is >= 0 and <= 1_024, nameof(ExtentTasks), "0 to 1,024");
        Check(ReattachMs is >= 0 and <= 60_000, nameof(ReattachMs), "0 to 60,000");
        Check(CrashesMax is >= 1 and <= 100, nameof(CrashesMax), "1 to 100");
        Check(
            QuarantineKeptMs is >= 0 and <= Core.TaskLimits.DurationMsMax, nameof(QuarantineKeptMs), "0 to 30 days");
        Check(AwaitersMax is >= 1 and <= 1_000_000, nameof(AwaitersMax), "1 to 1,000,000");
    }

    private static void Check(bool holds, string name, string range)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(name, $"must be {range}");
        }
    }
}
