// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Worker.Attempts;

/// <summary>How an attempt ended.</summary>
/// <param name="Outcome">Succeeded, failed or timed out.</param>
/// <param name="Output">What the handler returned; also of a failed command.</param>
/// <param name="Failure">Null for a success.</param>
internal readonly record struct AttemptEnd(Outcome Outcome, byte[] Output, AttemptFailure? Failure)
{
    public static AttemptEnd Succeeded(byte[] output) => new(Outcome.Succeeded, output, null);

    public static AttemptEnd Failed(AttemptFailure failure, byte[]? output = null) =>
        new(Outcome.Failed, output ?? Array.Empty<byte>(), failure);

    public static AttemptEnd TimedOut(AttemptFailure failure, byte[]? output = null) =>
        new(Outcome.TimedOut, output ?? Array.Empty<byte>(), failure);
}
