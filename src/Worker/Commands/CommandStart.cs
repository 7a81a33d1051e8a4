// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
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
    /// <param name="isolation">How.</param>
    /// <param name="nothing">/dev/null, for commands without input.</param>
    /// <param name="listener">Hears of the end.</param>
    /// <param name="number">The command's.</param>
    /// <param name="child">The running command; null when a step failed.</param>
    public static Fault TryStart(
        CommandRequest request,
        CommandIsolation isolation,
        SafeFileHandle nothing,
        ICommandListener listener,
        ulong number,
        out ChildProcess? child)
    {
        child = null;
        var fault = ProgramPath.Find(request, out var path);
        if (!fault.IsNone)
        {
            return fault;
        }

        CommandLane lane;
        try
        {
            lane = isolation.Lanes.Take();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new(FaultCode.SpawnFailed, $"no place for a command could be made: {exception.Message}");
        }

        fault = TryStart(request, isolation, nothing, listener, number, path, lane, out child);
        if (child is null)
        {
            isolation.Lanes.Return(lane);
        }

        return fault;
    }

    private static Fault TryStart(
        CommandRequest request,
        CommandIsolation isolation,
        SafeFileHandle nothing,
        ICommandListener listener,
        ulong number,
        string path,
        CommandLane lane,
        out ChildProcess? child)
    {
        child = null;
        using var pipes = new CommandPipes();
        var error = pipes.Open(withInput: !request.Input.IsEmpty);
        if (error != 0)
        {
            return PipesRefused(error);
        }

        lane.IsFolderUsed |= request.Folder is null && lane.Folder is not null;
        error = SpawnProcess.Start(
            new SpawnRequest
            {
                Path = CommandRequest.Text(path),
                Arguments = request.Arguments,
                Environment = isolation.Complete(request, number),
                Folder = request.Folder is null ? lane.FolderText : CommandRequest.Text(request.Folder),
                Input = pipes.InputGiven ?? nothing,
                Output = pipes.OutputGiven!,
                Error = pipes.ErrorGiven!,
                Confinement = isolation.Confinement,
                Cgroup = lane.Group?.Group,
                Joins = lane.Group?.Joins ?? [],
            },
            out var pid,
            out var pidfd,
            out var stage);
        if (error != 0)
        {
            return Explain(error, stage, request, path);
        }

        child = new ChildProcess
        {
            Pid = pid,
            Pidfd = pidfd!,
            Number = number,
            Listener = listener,
            Lane = lane,
            Output = new CapturedOutput(request.OutputBytesMax),
            Error = new CapturedOutput(request.OutputBytesMax),
            Input = request.Input,
        };
        pipes.MoveTo(child);
        return Fault.None;
    }

    private static Fault Explain(int error, SpawnStage stage, CommandRequest request, string path)
    {
        switch (stage)
        {
            case SpawnStage.Process:
                return PipesRefused(error);
            case SpawnStage.Cgroup:
                return new(FaultCode.SpawnFailed, $"its control group cannot be joined: {ProgramPath.Text(error)}");
            case SpawnStage.Confinement:
                return new(
                    FaultCode.SpawnFailed,
                    $"the command could not be confined as this worker is told to: {ProgramPath.Text(error)}");
            default:
                return ProgramPath.Explain(error, request, path);
        }
    }

    private static Fault PipesRefused(int error) => error is EMFILE or ENFILE
        ? new(
            FaultCode.SpawnFailed,
            "this worker has no file descriptor left for a command; raise its limit (ulimit -n) or lower its slots")
        : new(FaultCode.SpawnFailed, $"a process for the command cannot be made: {ProgramPath.Text(error)}");
}
