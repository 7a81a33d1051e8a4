// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Worker.Attempts;
using Muster.Worker.Commands;
using Muster.Worker.Execution;

namespace Muster.Worker.Handlers;

/// <summary>
/// Runs commands. A slot thread starts the program and waits for a short one; the end of a longer one is told by the
/// reactor while the thread goes on to other work. A command whose time is over reports when it is dead, at most its
/// grace later, so that its result holds what it wrote and the next attempt does not run beside it.
/// </summary>
internal sealed class CommandHandler(CommandReactor reactor, CommandIsolation isolation, int outputBytesMax)
    : HandlerEntry(TaskLimits.CommandHandler, HandlerPlace.SlotThread)
{
    public override bool TakesToken => false;

    public override bool EndsAtTimeout => false;

    public override bool SendsItself => true;

    public override AttemptEnd? Run(HeldAttempt attempt, Executor executor)
    {
        var fault = CommandRequest.Parse(
            attempt.Payload.Span, isolation.Environment, outputBytesMax, out var request);
        ChildProcess? child = null;
        if (fault.IsNone)
        {
            request!.Name(attempt.Key);
            fault = reactor.StartHere(request, new Listener(attempt, executor), out child);
        }

        if (!fault.IsNone)
        {
            return AttemptEnd.Failed(AttemptFailure.From(fault));
        }

        if (executor.SetChild(attempt, child!))
        {
            reactor.Stop(child!);
        }

        // While it runs, this thread has nothing better to do than to send what ended before.
        executor.EndRound();
        if (!reactor.AwaitShortly(child!, out var end))
        {
            return null;
        }

        var known = EndOf(end, attempt);
        reactor.Release(child!);
        return known;
    }

    public override void Stop(HeldAttempt attempt, Executor executor)
    {
        if (executor.ChildOf(attempt) is { } child)
        {
            reactor.Stop(child);
        }
    }

    private static AttemptEnd EndOf(in CommandEnd end, HeldAttempt attempt)
    {
        var output = end.Encode();
        if (end.WaitError != 0)
        {
            return AttemptEnd.Failed(
                new(FaultCode.SpawnFailed, $"how the command ended is unknown: {ProgramPath.Text(end.WaitError)}"));
        }

        if (attempt.IsTimedOut)
        {
            return AttemptEnd.TimedOut(Executor.TimedOutFailure(attempt), output);
        }

        if (end.Signal != 0)
        {
            return AttemptEnd.Failed(
                new(FaultCode.CommandSignalled, $"the command was ended by signal {end.Signal}")
                {
                    OutputTail = TailOf(end),
                },
                output);
        }

        return end.ExitCode == 0
            ? AttemptEnd.Succeeded(output)
            : AttemptEnd.Failed(
                new(FaultCode.CommandExited, $"the command ended with exit code {end.ExitCode}")
                {
                    OutputTail = TailOf(end),
                },
                output);
    }

    private static string TailOf(in CommandEnd end) =>
        AttemptFailure.Tail(end.Error.Bytes.Length > 0 ? end.Error.Bytes : end.Output.Bytes);

    private sealed class Listener(HeldAttempt attempt, Executor executor) : ICommandListener
    {
        public void CommandEnded(CommandEnd end) => executor.FinishInRound(attempt, EndOf(end, attempt));

        public void RoundEnded() => executor.EndRound();

        public int KillGraceMs => attempt.Limits.CancelGraceMs;

        public void Wrote() => executor.Spoke(attempt);
    }
}
