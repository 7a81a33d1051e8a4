// SPDX-License-Identifier: Apache-2.0
using Microsoft.Extensions.Logging;
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Server.RegisterHosting;

/// <summary>What the Register's host logs; ids 1,340 to 1,359.</summary>
internal static partial class RegisterLog
{
    [LoggerMessage(1340, LogLevel.Information, "Worker {Worker} in row {Row} is {Health}: {Reason}.")]
    public static partial void HealthChanged(
        ILogger logger, string worker, uint row, WorkerHealth health, WorkerReason reason);

    [LoggerMessage(1341, LogLevel.Warning, "Worker {Worker} in row {Row} is {Health}: {Reason}.")]
    public static partial void HealthWorsened(
        ILogger logger, string worker, uint row, WorkerHealth health, WorkerReason reason);

    [LoggerMessage(1342, LogLevel.Warning,
        "{Suspects} of {Workers} workers fell silent together: nobody is given up for {HoldMs} ms more.")]
    public static partial void BrakePulled(ILogger logger, int suspects, int workers, uint holdMs);

    [LoggerMessage(1343, LogLevel.Warning,
        "The Register was {LateMs} ms late itself since the last such line; every deadline moves by that.")]
    public static partial void WasLate(ILogger logger, long lateMs);

    [LoggerMessage(1344, LogLevel.Warning,
        "A result of {Bytes} bytes of worker {Worker} found no room; the worker keeps it and sends it again.")]
    public static partial void RegionFull(ILogger logger, string worker, int bytes);

    [LoggerMessage(1345, LogLevel.Warning, "The stream of worker {Worker} is ended: {Code}: {Reason}")]
    public static partial void StreamClosed(ILogger logger, string worker, FaultCode code, string reason);
}
