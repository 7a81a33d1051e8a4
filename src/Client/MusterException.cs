// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster;

/// <summary>
/// The service could not do what it was asked: it is not reachable, it is full, or the request breaks one of its rules.
/// A task that ended badly is a <see cref="TaskFailedException"/> instead.
/// </summary>
public sealed class MusterException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="code">The stable code, for example PAYLOAD_TOO_LARGE.</param>
    /// <param name="message">What happened, why, and what to do.</param>
    /// <param name="retryAfter">When the same request may succeed; null when it will not.</param>
    /// <param name="innerException">What it was noticed by.</param>
    public MusterException(string code, string message, TimeSpan? retryAfter = null, Exception? innerException = null)
        : base(message, innerException)
    {
        ArgumentException.ThrowIfNullOrEmpty(code);
        Code = code;
        RetryAfter = retryAfter;
    }

    /// <summary>Stable, in UPPER_SNAKE_CASE; the documentation has a page of them.</summary>
    public string Code { get; }

    /// <summary>After this time the same request may succeed. Null: it will be refused again.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>
    /// Whether a new connection may do better: the service was not reachable, restarts, or a stream was cut. Such
    /// failures reach the user only after the time that <see cref="MusterClientOptions"/> grants.
    /// </summary>
    internal bool IsTransient { get; init; }
}
