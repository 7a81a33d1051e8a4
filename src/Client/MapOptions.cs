// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>How <see cref="MusterClient"/>.MapAsync runs its tasks. Immutable.</summary>
public sealed record MapOptions
{
    /// <summary>The defaults.</summary>
    public static MapOptions Default { get; } = new();

    /// <summary>How each task is to be run.</summary>
    public SubmitOptions Task { get; init; } = SubmitOptions.Default;

    /// <summary>
    /// Inputs that were taken and whose values were not yet handed out, at most: the memory that a map of any length
    /// needs. 1 to 1,000,000. Default 4,096 (four thousand and ninety-six).
    /// </summary>
    public int InFlightMax { get; init; } = 4_096;

    /// <summary>
    /// True: values come in the order of the inputs, so that one slow task holds back those after it. False, the
    /// default: as they complete.
    /// </summary>
    public bool InputOrder { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Task);
        if (Task.IdempotencyKey is not null)
        {
            throw new ArgumentException("the tasks of a map cannot share one idempotency key", nameof(Task));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(InFlightMax, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(InFlightMax, 1_000_000);
    }
}
