// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;

namespace Muster.Server.Endpoint;

/// <summary>What the endpoint logs; ids 1,100 to 1,199.</summary>
internal static partial class EndpointLog
{
    [LoggerMessage(1100, LogLevel.Information, "Listening on {Address}.")]
    public static partial void Listening(ILogger logger, string address);

    [LoggerMessage(1101, LogLevel.Error, "The handler of {Method} failed; its client was told UNKNOWN.")]
    public static partial void HandlerFailed(ILogger logger, string method, Exception exception);

    [LoggerMessage(1102, LogLevel.Critical, "An invariant was violated in {Method}.")]
    public static partial void InvariantViolated(ILogger logger, string method, Exception exception);

    [LoggerMessage(1103, LogLevel.Warning, "The handler of {Method} went on after its deadline; its stream was reset.")]
    public static partial void DeadlineIgnored(ILogger logger, string method);

    [LoggerMessage(1104, LogLevel.Warning, "The peer of {Method} did not read its last messages; they were dropped.")]
    public static partial void OutboxDropped(ILogger logger, string method);
}
