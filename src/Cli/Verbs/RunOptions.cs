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

    public void AddTo(Command verb)
    {
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
