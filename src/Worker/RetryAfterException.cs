// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>
/// Thrown by a handler: this attempt has failed, and the next one shall not begin sooner than after
/// <see cref="RetryAfter"/>; for a service that said when it will be there again. It counts as a failed attempt like
/// any other exception, and takes the place of the back-off that the submission asked for.
/// </summary>
public sealed class RetryAfterException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="retryAfter">Above zero and at most a day; longer waits are cut to a day.</param>
    /// <param name="message">Why, for people. Null: a text that says the wait.</param>
    /// <param name="innerException">What happened, if that was an exception.</param>
    /// <exception cref="ArgumentOutOfRangeException">The wait is not above zero.</exception>
    public RetryAfterException(TimeSpan retryAfter, string? message = null, Exception? innerException = null)
        : base(message ?? $"asked to be repeated after {retryAfter}", innerException)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(retryAfter, TimeSpan.Zero);
        RetryAfter = retryAfter;
    }

    /// <summary>The wait.</summary>
    public TimeSpan RetryAfter { get; }
}
