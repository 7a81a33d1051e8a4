// SPDX-License-Identifier: Apache-2.0
using Microsoft.Extensions.Logging;
using Muster.Core;

namespace Muster.Server.SchedulerHosting;

/// <summary>What the Scheduler's host logs; ids 1,320 to 1,339.</summary>
internal static partial class SchedulerLog
{
    [LoggerMessage(1320, LogLevel.Information, "Worker {Worker} takes assignments.")]
    public static partial void StreamOpened(ILogger logger, string worker);

    [LoggerMessage(1321, LogLevel.Information, "Worker {Worker} takes no assignments any more; its stream has ended.")]
    public static partial void StreamEnded(ILogger logger, string worker);

    [LoggerMessage(1323, LogLevel.Information,
        "The stream of worker {Worker} is ended: its registration is over.")]
    public static partial void StreamFenced(ILogger logger, string worker);

    [LoggerMessage(1322, LogLevel.Warning, "The stream of worker {Worker} is ended: {Code}: {Reason}")]
    public static partial void StreamClosed(ILogger logger, string worker, FaultCode code, string reason);
}
