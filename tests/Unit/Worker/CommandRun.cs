// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Core;
using Muster.Worker;
using Muster.Worker.Commands;
using Xunit;

namespace Muster.Unit.Worker;

/// <summary>One command started on a reactor, and its end.</summary>
internal sealed class CommandRun : ICommandListener
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly TaskCompletionSource<(V1.CommandResult Result, int WaitError)> _end =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Why it could not be started; none when it runs.</summary>
    public Fault Fault { get; private set; }

    public ChildProcess? Child { get; private set; }

    public static CommandRun Start(CommandReactor reactor, V1.Command command, WorkerEnvironment? environment = null)
    {
        var run = new CommandRun();
        run.Fault = CommandRequest.Parse(
            command.ToByteArray(),
            environment ?? WorkerEnvironment.Own(),
            WorkerLimits.CommandOutputBytesMax,
            out var request);
        if (run.Fault.IsNone)
        {
            StarterThread.Run(() =>
            {
                run.Fault = reactor.Start(request!, run, out var child);
                run.Child = child;
            });
        }

        return run;
    }

    public static V1.Command Of(params string[] argv)
    {
        var command = new V1.Command();
        command.Argv.AddRange(argv);
        return command;
    }

    public static V1.Command Shell(string script, params string[] arguments)
    {
        var command = new V1.Command { Shell = true };
        command.Argv.Add(script);
        command.Argv.AddRange(arguments);
        return command;
    }

    public async Task<V1.CommandResult> ResultAsync()
    {
        Assert.Equal(Fault.None, Fault);
        var (result, waitError) = await _end.Task.WaitAsync(s_patience);
        Assert.Equal(0, waitError);
        return result;
    }

    public void CommandEnded(CommandEnd end) =>
        _end.SetResult((V1.CommandResult.Parser.ParseFrom(end.Encode()), end.WaitError));

    public void RoundEnded() => Assert.True(_end.Task.IsCompleted);
}
