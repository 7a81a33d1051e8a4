// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using Muster.Cli.Arguments;
using Muster.Core;
using Muster.Worker;

namespace Muster.Cli.Verbs;

/// <summary>The options of map and submit that say how a task runs.</summary>
internal sealed class RunOptions
{
    private readonly Option<int> _priority = SharedOptions.Priority();
    private readonly Option<TimeSpan?> _timeout = SharedOptions.Timeout();
    private readonly Option<int> _retries = SharedOptions.Retries();
    private readonly Option<Durability> _durability =
        SharedOptions.Durability("What an accepted task survives [default: the cell's own level]");

    private readonly Option<bool> _progress = new("--progress")
    {
        Description = "Show progress on standard error also when it is no terminal",
    };

    private readonly Option<string?> _outputBytesMax = new("--output-bytes-max")
    {
        Description = "Bytes kept of each command's standard output and error each, at most 2015K [default: 1M]",
        HelpName = "BYTES",
    };

    private readonly Option<TimeSpan?> _retryDelay = SharedOptions.Duration(
        "--retry-delay", "First wait before a failed attempt is repeated; it doubles up to a minute [default: none]");

    private readonly Option<TimeSpan?> _retryBudget = SharedOptions.Duration(
        "--retry-budget", "Repeat nothing that would begin later than this after the submission");

    private readonly Option<string[]> _finalErrors = new("--final-error")
    {
        Description = "Repeat nothing after this code or type of exception; may be repeated",
        HelpName = "NAME",
    };

    private readonly Option<TimeSpan?> _expires = SharedOptions.Duration(
        "--expires", "Give a task up that has not started by then");

    private readonly Option<TimeSpan?> _progressTimeout = SharedOptions.Duration(
        "--progress-timeout", "Stop an attempt that writes and reports nothing for so long");

    private readonly Option<TimeSpan?> _totalTimeout = SharedOptions.Duration(
        "--total-timeout", "Give a task up that has not ended by then, whatever it does");

    private readonly Option<TimeSpan?> _cancelGrace = SharedOptions.Duration(
        "--cancel-grace", "Time between SIGTERM and SIGKILL for a command that is stopped [default: 2s]");

    public void AddTo(Command verb)
    {
        verb.Add(_retryDelay);
        verb.Add(_retryBudget);
        verb.Add(_finalErrors);
        verb.Add(_expires);
        verb.Add(_progressTimeout);
        verb.Add(_totalTimeout);
        verb.Add(_cancelGrace);
        verb.Add(_priority);
        verb.Add(_timeout);
        verb.Add(_retries);
        verb.Add(_durability);
        verb.Add(_outputBytesMax);
        verb.Add(_progress);
    }

    public RunPlan Read(ParseResult result)
    {
        var task = new SubmitOptions
        {
            Priority = result.GetValue(_priority),
            AttemptsMax = result.GetValue(_retries) + 1,
            Timeout = result.GetValue(_timeout),
            RetryDelay = result.GetValue(_retryDelay),
            RetryBudget = result.GetValue(_retryBudget),
            FinalErrors = result.GetValue(_finalErrors) ?? [],
            ExpiresAfter = result.GetValue(_expires),
            ProgressTimeout = result.GetValue(_progressTimeout),
            TotalTimeout = result.GetValue(_totalTimeout),
            CancelGrace = result.GetValue(_cancelGrace),
            Durability = result.GetValue(_durability),
        };
        var bytes = result.GetValue(_outputBytesMax) is { } text
            ? SharedOptions.ParseBytes("--output-bytes-max", text)
            : TaskLimits.CommandOutputBytesDefault;
        return bytes is > 0 and <= WorkerLimits.CommandOutputBytesMax
            ? new(task, (int)bytes, result.GetValue(_progress))
            : throw new UsageException($"--output-bytes-max is 1 to {WorkerLimits.CommandOutputBytesMax}");
    }
}
