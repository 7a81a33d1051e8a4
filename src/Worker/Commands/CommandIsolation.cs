// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// How this worker keeps its commands apart from itself, from each other and from the host: made once at its start from
/// <see cref="MusterCommandOptions"/> and from what the host allows. Safe for many threads.
/// </summary>
internal sealed class CommandIsolation : IDisposable
{
    private const int Umask = 0x3F;

    private readonly CgroupTree? _tree;
    private readonly CommandFolders? _folders;
    private readonly List<string> _missing = [];

    /// <exception cref="ArgumentException">The user does not exist, or this process may not act for it.</exception>
    /// <exception cref="PlatformNotSupportedException">Programs cannot be started here.</exception>
    /// <exception cref="IOException">The place of the working folders cannot be used.</exception>
    public CommandIsolation(MusterCommandOptions options)
    {
        options.Validate();
        if (!SpawnCode.IsSupported)
        {
            throw new PlatformNotSupportedException("commands need a processor of the x64 family");
        }

        var user = options.User is null ? null : UserOf(options.User);

        // First, because it may fail, and groups would be left.
        _folders = options.IsSubmitters ? null : new CommandFolders(options.Folder, user);
        _tree = options.Cgroup == CgroupTree.Off
            ? null
            : CgroupTree.TryMake(new(options.MemoryBytesMax, options.CpusMax, options.ProcessesMax), _missing);
        if (_tree is not null && !CanStartIn(_tree, _missing))
        {
            _tree.Remove();
            _tree = null;
        }

        if (options.Cgroup == CgroupTree.Off)
        {
            _missing.Add("no control groups: they are turned off");
        }

        Strays = _tree is null ? new StrayProcesses(options.OwnsProcess) : null;
        if (Strays is { IsActive: false })
        {
            _missing.Add("no way to find processes that leave their command's session");
        }

        Lanes = new(_tree, _folders);
        Environment = EnvironmentOf(options, user);
        Confinement = ConfinementOf(options, user);
    }

    public CommandLanes Lanes { get; }

    public WorkerEnvironment Environment { get; }

    public SpawnConfinement Confinement { get; }

    /// <summary>Finds what commands leave behind; null when control groups do.</summary>
    public StrayProcesses? Strays { get; }

    /// <summary>What holds, for people.</summary>
    public string Summary => string.Join(", ", new[]
    {
        _tree?.Summary ?? "own sessions",
        Confinement.User is { } user ? $"user {user.Name}" : "the worker's user",
        Confinement.HasNoNewPrivileges ? "no new privileges" : "privileges kept",
        _folders is null ? "the worker's folder" : $"folders in {_folders.Root}",
    });

    /// <summary>What was asked for, or is usual, and does not hold on this host.</summary>
    public IReadOnlyList<string> Missing => _missing;

    /// <summary>Starts what cleans up when this process is killed.</summary>
    public CommandGuard? StartGuard(SafeFileHandle nothing) =>
        CommandGuard.TryStart(nothing, Strays?.Mark, _folders?.Root, _tree?.Folders ?? []);

    /// <summary>The environment of one command, with what this worker adds to each.</summary>
    public byte[][] Complete(CommandRequest request, ulong number)
    {
        var mark = Strays is null
            ? null
            : CommandRequest.Text(string.Create(CultureInfo.InvariantCulture, $"{Strays.Mark}{number}"));
        return (mark, request.AttemptVariables.Length) switch
        {
            (null, 0) => request.Environment,
            (null, _) => [.. request.Environment, .. request.AttemptVariables],
            _ => [.. request.Environment, .. request.AttemptVariables, mark],
        };
    }

    public void Dispose() => Lanes.Dispose();

    // A sandbox or the place in the hierarchy may forbid what the rights on the files allow. The root folder is no
    // program, so a start that gets as far as loading it has proved everything before.
    private static bool CanStartIn(CgroupTree tree, List<string> missing)
    {
        try
        {
            using var nothing = SpawnPipe.OpenNothing();
            using var leaf = tree.MakeLeaf(0);
            var error = SpawnProcess.Start(
                new SpawnRequest
                {
                    Path = CommandRequest.Text("/"),
                    Arguments = new[] { CommandRequest.Text("/") },
                    Environment = [],
                    Input = nothing,
                    Output = nothing,
                    Error = nothing,
                    Confinement = new SpawnConfinement(),
                    Cgroup = leaf.Group,
                    Joins = leaf.Joins,
                },
                out _,
                out _,
                out var stage);
            if (stage == SpawnStage.Program)
            {
                return true;
            }

            missing.Add($"no control groups: programs cannot be started in them: {ProgramPath.Text(error)}");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            missing.Add($"no control groups: {exception.Message}");
        }

        return false;
    }

    private static UserIdentity UserOf(string name)
    {
        var user = UserIdentity.Find(name)
            ?? throw new ArgumentException($"there is no user '{name}' on this host for commands to run as");
        if (user.Uid == 0)
        {
            throw new ArgumentException("commands cannot be told to run as root; start the worker as root instead");
        }

        return User.Id == 0 || user.Uid == User.Id
            ? user
            : throw new ArgumentException($"only a worker of root can run commands as '{name}'");
    }

    private static WorkerEnvironment EnvironmentOf(MusterCommandOptions options, UserIdentity? user)
    {
        var added = options.Environment.ToList();
        if (options.IsSubmitters)
        {
            added.Add(WorkerEnvironment.All);
        }

        if (user is not null)
        {
            added.InsertRange(0, [$"HOME={user.Home}", $"USER={user.Name}", $"LOGNAME={user.Name}"]);
        }

        return new(
            System.Environment.GetEnvironmentVariables(), added, new SecretValues(options.SecretsFolder));
    }

    private static SpawnConfinement ConfinementOf(MusterCommandOptions options, UserIdentity? user)
    {
        if (options.IsSubmitters)
        {
            return new SpawnConfinement
            {
                Limits = [Limit(SpawnLimit.RLIMIT_NOFILE, (ulong)options.OpenFilesMax)],
            };
        }

        var limits = new List<SpawnLimit>
        {
            Limit(SpawnLimit.RLIMIT_CORE, (ulong)options.CoreBytesMax, isHardToo: true),
            Limit(SpawnLimit.RLIMIT_NOFILE, (ulong)options.OpenFilesMax),
        };
        if (options.FileBytesMax is { } bytes)
        {
            limits.Add(Limit(SpawnLimit.RLIMIT_FSIZE, (ulong)bytes, isHardToo: true));
        }

        if (options.UserProcessesMax is { } processes)
        {
            limits.Add(Limit(SpawnLimit.RLIMIT_NPROC, (ulong)processes, isHardToo: true));
        }

        return new SpawnConfinement
        {
            HasNoNewPrivileges = !options.KeepPrivileges,
            LastCapability = options.KeepPrivileges ? -1 : ProcessPrivileges.LastDroppableCapability(),
            User = user is null || user.Uid == User.Id ? null : user,
            Limits = [.. limits],
            Umask = Umask,
        };
    }

    // A hard limit is never raised: only root might, and a command has no use for it.
    private static SpawnLimit Limit(int resource, ulong value, bool isHardToo = false)
    {
        var hard = FileLimit.HardOf(resource);
        var soft = Math.Min(value, hard);
        return new(resource, soft, isHardToo ? soft : hard);
    }
}
