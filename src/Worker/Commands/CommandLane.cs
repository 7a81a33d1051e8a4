// SPDX-License-Identifier: Apache-2.0
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// What one running command has for itself: a control group and an empty folder. Lent by <see cref="CommandLanes"/> to
/// one command after the other.
/// </summary>
internal sealed class CommandLane(CgroupLeaf? group, string? folder)
{
    private const int Mode0700 = 0x1C0;

    /// <summary>Null: the host allows none.</summary>
    public CgroupLeaf? Group { get; } = group;

    /// <summary>Null: commands run in the worker's own folder.</summary>
    public string? Folder { get; } = folder;

    /// <summary>The same as C wants it.</summary>
    public byte[]? FolderText { get; } = folder is null ? null : CommandRequest.Text(folder);

    /// <summary>Whether a command that was given the folder has run since it was last looked at.</summary>
    public bool IsFolderUsed { get; set; }

    /// <summary>
    /// The group was killed: processes may still be dying, and the kernel kills what begins in such a group later.
    /// </summary>
    public bool IsGroupUsed { get; set; }

    /// <summary>Whether the next command may have the folder as it is.</summary>
    public bool IsFolderFresh(uint owner) =>
        Statx.TryOf(Folder!, out var facts) && facts.IsFolder && facts.Uid == owner
        && facts.Permissions == Mode0700 && CommandFolders.IsEmpty(Folder!);
}
