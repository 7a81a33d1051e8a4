// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <summary>
/// What connections log; ids 1,150 to 1,199. A stranger causes these lines, so they are not shown unless asked for.
/// </summary>
internal static partial class HttpLog
{
    [LoggerMessage(1150, LogLevel.Debug, "The connection of {Peer} was given up with {Code}: {Reason}.")]
    public static partial void GaveUp(ILogger logger, string peer, Http2ErrorCode code, string reason);

    [LoggerMessage(1151, LogLevel.Debug, "The TLS handshake of a connection failed: {Reason}.")]
    public static partial void HandshakeFailed(ILogger logger, string reason);

    [LoggerMessage(1153, LogLevel.Error, "The connection of {Peer} was ended by a failure of our own.")]
    public static partial void Failed(ILogger logger, string peer, Exception exception);

    [LoggerMessage(1152, LogLevel.Warning, "All {Count} connections are taken; another was closed.")]
    public static partial void ConnectionsFull(ILogger logger, int count);

    [LoggerMessage(
        1154, LogLevel.Warning, "One address has all {Count} connections that it may have; another was closed.")]
    public static partial void AddressFull(ILogger logger, int count);
}
