// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;

namespace Muster.Server.Roles;

/// <summary>What the hosts of roles log; ids 1,300 to 1,319.</summary>
internal static partial class RoleLog
{
    [LoggerMessage(1300, LogLevel.Information, "The {Role} of cell {Cell} has begun: epoch {Epoch} of the role.")]
    public static partial void Started(ILogger logger, string role, string cell, uint epoch);

    [LoggerMessage(1301, LogLevel.Information, "The {Role} of cell {Cell} has stopped.")]
    public static partial void Stopped(ILogger logger, string role, string cell);

    [LoggerMessage(1302, LogLevel.Critical, "The {Role} of cell {Cell} stops because it cannot go on.")]
    public static partial void Failed(ILogger logger, string role, string cell, Exception exception);
}
