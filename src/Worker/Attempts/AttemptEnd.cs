// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Worker.Attempts;

/// <summary>How an attempt ended.</summary>
/// <param name="Outcome">Succeeded, failed or timed out.</param>
/// <param name="Output">What the handler returned; also of a failed command.</param>
/// <param name="Failure">Null for a success.</param>
internal readonly record struct AttemptEnd(Outcome Outcome, ReadOnlyMemory<byte> Output, AttemptFailure? Failure)
{
    public static AttemptEnd Succeeded(ReadOnlyMemory<byte> output) => new(Outcome.Succeeded, output, null);

    public static AttemptEnd Failed(AttemptFailure failure, ReadOnlyMemory<byte> output = default) =>
        new(Outcome.Failed, output, failure);

    public static AttemptEnd TimedOut(AttemptFailure failure, ReadOnlyMemory<byte> output = default) =>
        new(Outcome.TimedOut, output, failure);
}
