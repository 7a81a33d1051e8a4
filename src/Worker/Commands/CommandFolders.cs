// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Worker.Commands;

/// <summary>
/// Makes and removes the working folders of one worker's commands, in a folder PID-START-N of its own below one that is
/// this user's alone. Folders of workers that are gone are removed at the start of the next. Safe for many threads.
/// </summary>
internal sealed class CommandFolders
{
    private const int Mode0700 = 0x1C0;
    private const int Mode0711 = 0x1C9;

    // Several workers of one process have folders of their own.
    private static int s_made;

    private readonly UserIdentity? _user;
    private int _made;

    /// <summary>Makes the worker's folder.</summary>
    /// <exception cref="IOException">The place is another's, or cannot be written.</exception>
    public CommandFolders(string? parent, UserIdentity? user)
    {
        _user = user;
        parent ??= Path.Combine(
            Path.GetTempPath(), string.Create(CultureInfo.InvariantCulture, $"muster-{User.Id}-work"));
        Root = Path.Combine(
            parent,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Environment.ProcessId}-{ProcStat.OwnStart}-{Interlocked.Increment(ref s_made)}"));
        Ensure(parent);
        RemoveLeftovers(parent);
        MakeFolder(Root);
        if (user is not null)
        {
            // The user must come through to its own folder; what else is there stays unreadable.
            _ = ProcessPrivileges.Permit(parent, Mode0711);
            _ = ProcessPrivileges.Permit(Root, Mode0711);
        }
    }

    /// <summary>The folder of this worker.</summary>
    public string Root { get; }

    /// <summary>Who owns the folders of commands.</summary>
    public uint Owner => _user?.Uid ?? User.Id;

    /// <summary>Whether nothing is in a folder.</summary>
    public static bool IsEmpty(string folder)
    {
        try
        {
            return !Directory.EnumerateFileSystemEntries(folder).Any();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// Removes a folder with all that is in it, whatever rights a command took from itself. A symbolic link is removed
    /// and never followed. What cannot be removed stays, and is tried again by the next worker's start.
    /// </summary>
    public static void Remove(string folder)
    {
        try
        {
            if (new DirectoryInfo(folder) is { LinkTarget: not null } or { Exists: false })
            {
                File.Delete(folder);
                return;
            }

            Open(folder);
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Of another user, a mount, or full of files that appear while it is emptied.
        }
    }

    /// <summary>A new, empty folder.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    public string Make()
    {
        var number = Interlocked.Increment(ref _made);
        var folder = Path.Combine(Root, number.ToString(CultureInfo.InvariantCulture));
        MakeFolder(folder);
        if (_user is { } user && ProcessPrivileges.Give(folder, user.Uid, user.Gid) is var errno and not 0)
        {
            throw new IOException($"{folder} cannot be given to '{user.Name}' (errno {errno})");
        }

        return folder;
    }

    /// <summary>Removes everything.</summary>
    public void Remove() => Remove(Root);

    private static void MakeFolder(string path)
    {
        var errno = Mkdir.Private(path);
        if (errno is not (0 or Errno.EEXIST))
        {
            throw new IOException($"{path} cannot be made (errno {errno})");
        }
    }

    private static void Ensure(string parent)
    {
        MakeFolder(parent);

        const int writableByOthers = 0x12;
        if (!Statx.TryOf(parent, out var facts) || !facts.IsFolder || facts.Uid != User.Id
            || (facts.Permissions & writableByOthers) != 0)
        {
            throw new IOException(
                $"{parent} must be a folder of user {User.Id} that nobody else may write; find out who made it, and "
                + "remove it");
        }
    }

    private static void RemoveLeftovers(string parent)
    {
        foreach (var folder in Directory.EnumerateDirectories(parent))
        {
            var parts = Path.GetFileName(folder).Split('-');
            if (parts.Length == 3
                && uint.TryParse(parts[0], CultureInfo.InvariantCulture, out var pid)
                && ulong.TryParse(parts[1], CultureInfo.InvariantCulture, out var start)
                && !ProcStat.IsAlive(pid, start))
            {
                Remove(folder);
            }
        }
    }

    // A command may have closed folders to itself.
    private static void Open(string folder)
    {
        if (new DirectoryInfo(folder).LinkTarget is not null)
        {
            return;
        }

        if (Statx.TryOf(folder, out var facts) && (facts.Permissions & Mode0700) != Mode0700)
        {
            _ = ProcessPrivileges.Permit(folder, Mode0700);
        }

        foreach (var inner in Directory.EnumerateDirectories(folder))
        {
            Open(inner);
        }
    }
}
