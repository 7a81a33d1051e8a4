// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using Muster.Core;

namespace Muster.Client;

/// <summary>Idempotency keys: checked where they were written, made where a call needs one to be repeated.</summary>
internal static class SubmissionKey
{
    /// <summary>
    /// How long a key that was made here is remembered after its task's end: far longer than the call is repeated.
    /// </summary>
    public static readonly TimeSpan MadeRetention = TimeSpan.FromMinutes(1);

    /// <summary>A key that no other submission has.</summary>
    public static string Make() => Guid.NewGuid().ToString("N");

    /// <exception cref="MusterException">INVALID_ARGUMENT: it is too long.</exception>
    public static string? Check(string? key)
    {
        if (key is not null && Encoding.UTF8.GetByteCount(key) is var bytes and > TaskLimits.KeyBytesMax)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.InvalidArgument),
                $"an idempotency key of {bytes} bytes is over the limit of {TaskLimits.KeyBytesMax}; use a hash of it");
        }

        return key;
    }
}
