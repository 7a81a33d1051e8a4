// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using Muster.Worker.Commands;

namespace Muster;

/// <summary>
/// What the commands of a worker may do and use. Immutable; checked as a whole when the worker is made. With the
/// defaults a command has a cleared environment, no privileges to gain, an empty folder of its own, and leaves no
/// process behind.
/// </summary>
public sealed record MusterCommandOptions
{
    /// <summary>
    /// Variables that commands get beside PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_ALL, LC_CTYPE, TZ, TMPDIR and TERM
    /// of the worker: NAME passes the worker's own, NAME=value sets one, and * passes all. Default: none.
    /// </summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>
    /// The user that commands run as, by name; needs a worker of root. Null, the default: the worker's own.
    /// </summary>
    public string? User { get; init; }

    /// <summary>
    /// Whether commands keep the worker's capabilities and may gain privileges, by setuid programs for example. Default
    /// false.
    /// </summary>
    public bool KeepPrivileges { get; init; }

    /// <summary>
    /// Folder of the files, readable by the worker's user alone, that a command's variable "secret:NAME" stands for.
    /// Null, the default: such values come from the worker's variables MUSTER_SECRET_NAME alone.
    /// </summary>
    public string? SecretsFolder { get; init; }

    /// <summary>
    /// Where the working folders of commands are made that name none. Null, the default: muster-UID-work in the folder
    /// for temporary files.
    /// </summary>
    public string? Folder { get; init; }

    /// <summary>
    /// auto, the default: a control group for each running command below the worker's own, where the host allows it;
    /// off: none.
    /// </summary>
    public string Cgroup { get; init; } = "auto";

    /// <summary>Bytes of memory of all processes of one command; needs control groups. Null, the default: no limit.
    /// </summary>
    public long? MemoryBytesMax { get; init; }

    /// <summary>Processors that one command may use, 0.01 or more; needs control groups. Null, the default: no limit.
    /// </summary>
    public double? CpusMax { get; init; }

    /// <summary>
    /// Processes and threads of one command at once; needs control groups. Null, the default: no limit.
    /// </summary>
    public int? ProcessesMax { get; init; }

    /// <summary>Size of a file that a command may write, in bytes. Null, the default: that of the worker.</summary>
    public long? FileBytesMax { get; init; }

    /// <summary>
    /// Files that a process of a command may have open, 16 or more. Default 1,024; a command may raise it to what the
    /// worker may.
    /// </summary>
    public int OpenFilesMax { get; init; } = 1_024;

    /// <summary>
    /// Processes and threads that the command's user may have on the whole host when it starts another. Null, the
    /// default: that of the worker.
    /// </summary>
    public int? UserProcessesMax { get; init; }

    /// <summary>Size of a core dump in bytes. Default 0: none is written.</summary>
    public long CoreBytesMax { get; init; }

    /// <summary>
    /// The submitter is this process: as for a child of a shell, commands get its environment, folder and rights.
    /// </summary>
    internal bool IsSubmitters { get; init; }

    /// <summary>All children of this process that it does not know were left by commands.</summary>
    internal bool OwnsProcess { get; init; }

    internal void Validate()
    {
        ArgumentNullException.ThrowIfNull(Environment);
        foreach (var entry in Environment)
        {
            if (string.IsNullOrEmpty(entry) || entry[0] == '=' || entry.Contains('\0', StringComparison.Ordinal))
            {
                throw new ArgumentException($"'{entry}' is not NAME, NAME=value or *", nameof(Environment));
            }
        }

        if (Cgroup is not (CgroupTree.Auto or CgroupTree.Off))
        {
            throw new ArgumentException($"Cgroup is {CgroupTree.Auto} or {CgroupTree.Off}", nameof(Cgroup));
        }

        ArgumentOutOfRangeException.ThrowIfLessThan(MemoryBytesMax ?? long.MaxValue, 1 << 20, nameof(MemoryBytesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(CpusMax ?? 1, 0.01, nameof(CpusMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(ProcessesMax ?? 1, 1, nameof(ProcessesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(FileBytesMax ?? 0, 0, nameof(FileBytesMax));
        ArgumentOutOfRangeException.ThrowIfLessThan(OpenFilesMax, 16);
        ArgumentOutOfRangeException.ThrowIfLessThan(UserProcessesMax ?? 1, 1, nameof(UserProcessesMax));
        ArgumentOutOfRangeException.ThrowIfNegative(CoreBytesMax);
    }
}
