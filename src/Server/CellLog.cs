// SPDX-License-Identifier: Apache-2.0
using Microsoft.Extensions.Logging;

namespace Muster.Server;

/// <summary>What a cell's host logs; ids 1,360 to 1,379.</summary>
internal static partial class CellLog
{
    [LoggerMessage(1360, LogLevel.Information, "Cell {Cell} serves {Roles} at {Addresses}.")]
    public static partial void Serves(ILogger logger, string cell, string roles, string addresses);

    [LoggerMessage(1361, LogLevel.Warning, "Cell {Cell}: {Note}")]
    public static partial void Noted(ILogger logger, string cell, string note);

    [LoggerMessage(1362, LogLevel.Warning, "The arena of cell {Cell} could not be removed: {Why}")]
    public static partial void ArenaKept(ILogger logger, string cell, string why);
}
