// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core;

/// <summary>
/// An expected failure, as a value: a stable code, a sentence that says what happened, why and what to do, and for
/// overload the time after which to try again.
/// </summary>
/// <param name="Code">One of <see cref="FaultCode"/>; <see cref="FaultCode.None"/> means success.</param>
/// <param name="Message">For a person. Holds no payload bytes.</param>
/// <param name="RetryAfterMs">Not 0: the same request may succeed after this time.</param>
internal readonly record struct Fault(FaultCode Code, string Message, uint RetryAfterMs = 0)
{
    public static Fault None => default;

    public bool IsNone => Code == FaultCode.None;
}
