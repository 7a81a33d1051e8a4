// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Core;

namespace Muster.Client.Sessions;

/// <summary>
/// One submission on its way, from the call that made it until its result. Owned by the <see cref="SessionLedger"/>,
/// under whose lock everything here is written, until <see cref="PendingStage.Ended"/>; then by whoever awaits it.
/// <see cref="OnAccepted"/> and <see cref="OnEnded"/> run on the receive loop and never run user code.
/// </summary>
internal abstract class PendingTask(EncodedTaskOptions options, ReadOnlyMemory<byte> payload)
{
    public EncodedTaskOptions Options { get; } = options;

    /// <summary>Its idempotency key; null: none.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What the handler gets; let go of when the cell has it.</summary>
    public ReadOnlyMemory<byte> Payload { get; private set; } = payload;

    public PendingStage Stage { get; set; }

    /// <summary>The session's number for it, set when it is sent; another one when it is sent again.</summary>
    public ulong Ref { get; set; }

    public TaskId Id { get; set; }

    /// <summary>Nobody waits any more: what the cell has not taken yet need not be sent. Written by the
    /// waiter.</summary>
    public virtual bool IsAbandoned { get; set; }

    /// <summary>To be cancelled as soon as the cell has named it.</summary>
    public bool IsCancelWanted { get; set; }

    public Outcome Outcome { get; set; }

    public uint Attempt { get; set; }

    public uint Executions { get; set; }

    public ReadOnlyMemory<byte> Output { get; set; }

    /// <summary>Why it did not succeed; null when it did.</summary>
    public PendingError? Error { get; set; }

    /// <summary>Earlier attempts that ended badly; null: none did.</summary>
    public List<FailedAttempt>? Attempts { get; set; }

    /// <summary>From start to end of the attempt that counts, by the worker's clock.</summary>
    public long RanUs { get; set; }

    /// <summary>Set when the service refused it or could not be reached; then there is no outcome.</summary>
    public MusterException? Refusal { get; set; }

    /// <summary>The cell has it: the payload is not needed any more.</summary>
    public void Accept(TaskId id)
    {
        Invariant.That(Stage is PendingStage.Sent);
        Stage = PendingStage.Accepted;
        Id = id;
        Payload = default;
    }

    public virtual void OnAccepted()
    {
    }

    public abstract void OnEnded();

    /// <summary>
    /// The same for a whole list of tasks that ended together, of which this is the first; an owner of many is told
    /// once.
    /// </summary>
    /// <returns>How many of them were told; at least this one.</returns>
    public virtual int EndTogether(ReadOnlySpan<PendingTask> together)
    {
        OnEnded();
        return 1;
    }

    /// <summary>Throws what stands in the way of using <see cref="Output"/>. A new exception for each waiter.</summary>
    public void ThrowUnlessSucceeded()
    {
        ThrowIfRefused();
        if (Outcome != Outcome.Succeeded)
        {
            throw new TaskFailedException(Failure);
        }
    }

    public void ThrowIfRefused()
    {
        if (Refusal is { } refusal)
        {
            throw new MusterException(refusal.Code, refusal.Message, refusal.RetryAfter, refusal);
        }
    }

    public TaskFailure Failure => new(
        Id,
        Outcome,
        Attempt,
        Executions,
        Error?.Code ?? "",
        Error?.Message ?? "",
        Error?.Type ?? "",
        Error?.Stack ?? "")
    {
        Attempts = Attempts ?? [],
    };
}
