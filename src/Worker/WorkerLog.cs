// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;

namespace Muster.Worker;

/// <summary>What a worker logs. Ids 5000 to 5099; an id is never used again for something else.</summary>
internal static partial class WorkerLog
{
    [LoggerMessage(5000, LogLevel.Information, "worker '{Name}' is registered as {WorkerId:x16} at {Address}")]
    public static partial void Registered(ILogger log, string name, ulong workerId, string address);

    [LoggerMessage(5001, LogLevel.Warning, "the Register at {Address} cannot be reached: {Reason}; trying again")]
    public static partial void RegisterLost(ILogger log, string address, string reason);

    [LoggerMessage(5002, LogLevel.Warning, "the Scheduler cannot be reached: {Reason}; trying again")]
    public static partial void SchedulerLost(ILogger log, string reason);

    [LoggerMessage(
        5003,
        LogLevel.Warning,
        "this worker was given up as lost while it was silent; it stops what it holds (registration {WorkerId:x16})")]
    public static partial void Fenced(ILogger log, ulong workerId);

    [LoggerMessage(
        5004, LogLevel.Information, "{Count} attempts are not this worker's any more, among them of task {Task}")]
    public static partial void Superseded(ILogger log, int count, TaskId task);

    [LoggerMessage(5005, LogLevel.Warning, "a callback on the cancellation token of task {Task} threw")]
    public static partial void CancelCallbackFailed(ILogger log, Exception exception, TaskId task);

    [LoggerMessage(5006, LogLevel.Information, "worker '{Name}' drains: {Running} attempts go on, {Returned} go back")]
    public static partial void Draining(ILogger log, string name, int running, int returned);

    [LoggerMessage(5007, LogLevel.Warning, "{Running} attempts did not end within the drain's time and are stopped")]
    public static partial void DrainTimeOver(ILogger log, int running);

    [LoggerMessage(
        5008, LogLevel.Warning, "{Results} results were not confirmed before the worker had to stop; they run again")]
    public static partial void ResultsUnconfirmed(ILogger log, int results);

    [LoggerMessage(5009, LogLevel.Information, "the goodbye could not be said: {Reason}")]
    public static partial void GoodbyeFailed(ILogger log, string reason);

    [LoggerMessage(5010, LogLevel.Information, "worker '{Name}' has stopped")]
    public static partial void Stopped(ILogger log, string name);

    [LoggerMessage(5011, LogLevel.Information, "the Register wants this worker to leave when it is done")]
    public static partial void DrainWanted(ILogger log);

    [LoggerMessage(
        5013, LogLevel.Warning, "the worker's certificate could not be renewed and is tried again: {Reason}")]
    public static partial void RenewalFailed(ILogger log, string reason);

    [LoggerMessage(5012, LogLevel.Critical, "a bug in Muster stopped this worker; please report it with this text")]
    public static partial void Broken(ILogger log, Exception exception);

    [LoggerMessage(5013, LogLevel.Information, "commands of worker '{Name}': {Isolation}")]
    public static partial void CommandsIsolated(ILogger log, string name, string isolation);

    [LoggerMessage(5014, LogLevel.Warning, "commands are held less tightly than they could be: {Missing}")]
    public static partial void IsolationMissing(ILogger log, string missing);
}
