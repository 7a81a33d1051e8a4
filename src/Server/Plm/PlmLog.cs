// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;

namespace Muster.Server.PlmHosting;

/// <summary>What the PLM's host logs; ids 1,200 to 1,299.</summary>
internal static partial class PlmLog
{
    [LoggerMessage(
        1200, LogLevel.Information, "The PLM took cell {Cell} over: epoch {Epoch} of the role, {Tasks} tasks; "
            + "{Took}.")]
    public static partial void Started(ILogger logger, string cell, uint epoch, ulong tasks, string took);

    [LoggerMessage(1201, LogLevel.Information, "The PLM of cell {Cell} has stopped.")]
    public static partial void Stopped(ILogger logger, string cell);

    [LoggerMessage(1202, LogLevel.Critical, "The PLM of cell {Cell} stops because it cannot go on.")]
    public static partial void Failed(ILogger logger, string cell, Exception exception);

    [LoggerMessage(1203, LogLevel.Debug, "Client {Client:x16} opened its session: {Name}.")]
    public static partial void SessionOpened(ILogger logger, ulong client, string name);

    [LoggerMessage(
        1204, LogLevel.Error, "The journal of cell {Cell} is still being flushed {Seconds} seconds after the stop: the "
            + "disk does not answer. Nothing acknowledged depends on it. Its lock is held until the process ends.")]
    public static partial void JournalHangs(ILogger logger, string cell, double seconds);

    [LoggerMessage(
        1205, LogLevel.Warning, "Cell {Cell} refuses tasks that do not fit into the arena with DISK_FULL: {Why}. It "
            + "goes on by itself when there is room; this is said once a minute at most.")]
    public static partial void SpillRefused(ILogger logger, string cell, string why);
}
