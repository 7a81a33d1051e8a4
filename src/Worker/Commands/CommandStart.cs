// SPDX-License-Identifier: Apache-2.0
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Worker.Commands;

/// <summary>
/// Makes the pipes of a command and starts it, on the calling thread. Every descriptor is closed again when a step
/// fails. Safe for many threads at once.
/// </summary>
internal static class CommandStart
{
    private const int EMFILE = 24;
    private const int ENFILE = 23;

    /// <summary>Starts a command.</summary>
    /// <param name="request">What to run.</param>
    /// <param name="nothing">/dev/null, for commands without input.</param>
    /// <param name="listener">Hears of the end.</param>
    /// <param name="child">The running command; null when a step failed.</param>
    public static Fault TryStart(
        CommandRequest request, SafeFileHandle nothing, ICommandListener listener, out ChildProcess? child)
    {
        child = null;
        var fault = ProgramPath.Find(request, out var path);
        if (!fault.IsNone)
        {
            return fault;
        }

        using var pipes = new CommandPipes();
        var error = pipes.Open(withInput: !request.Input.IsEmpty);
        if (error != 0)
        {
            return PipesRefused(error);
        }

        error = SpawnProcess.Start(
            new SpawnRequest
            {
                Path = CommandRequest.Text(path),
                Arguments = request.Arguments,
                Environment = request.Environment,
                Folder = request.Folder is null ? null : CommandRequest.Text(request.Folder),
                Input = pipes.InputGiven ?? nothing,
                Output = pipes.OutputGiven!,
                Error = pipes.ErrorGiven!,
            },
            out var pid);
        if (error != 0)
        {
            return ProgramPath.Explain(error, request, path);
        }

        var pidfd = SpawnWait.OpenPidfd(pid);
        if (pidfd is null)
        {
            SpawnWait.KillAndReap(pid);
            return PipesRefused(EMFILE);
        }

        child = new ChildProcess
        {
            Pid = pid,
            Pidfd = pidfd,
            Listener = listener,
            Output = new CapturedOutput(request.OutputBytesMax),
            Error = new CapturedOutput(request.OutputBytesMax),
            Input = request.Input,
        };
        pipes.MoveTo(child);
        return Fault.None;
    }

    private static Fault PipesRefused(int error) => error is EMFILE or ENFILE
        ? new(
            FaultCode.SpawnFailed,
            "this worker has no file descriptor left for a command; raise its limit (ulimit -n) or lower its slots")
        : new(FaultCode.SpawnFailed, $"the pipes of a command could not be made: {ProgramPath.Text(error)}");
}
