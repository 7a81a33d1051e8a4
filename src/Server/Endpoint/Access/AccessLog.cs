// SPDX-License-Identifier: Apache-2.0
using Microsoft.Extensions.Logging;

namespace Muster.Server.Endpoint.Access;

/// <summary>What access control logs; ids 1,120 to 1,139.</summary>
internal static partial class AccessLog
{
    [LoggerMessage(1120, LogLevel.Error, "The identities in {Folder} cannot be read, so every one is refused: {Why}")]
    public static partial void BookUnusable(ILogger logger, string folder, string why);

    [LoggerMessage(1121, LogLevel.Information, "The identities have changed: {Count} of them, serial {Serial}.")]
    public static partial void BookChanged(ILogger logger, int count, ulong serial);

    [LoggerMessage(1122, LogLevel.Error, "The audit log {Path} cannot be written: {Why}")]
    public static partial void AuditFailed(ILogger logger, string path, string why);

    [LoggerMessage(1123, LogLevel.Information, "The server's certificate was made anew; it counts until {Until}.")]
    public static partial void ServerCertificate(ILogger logger, System.DateTime until);
}
