// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using Microsoft.Win32.SafeHandles;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Journal;

namespace Muster.Server.Journal;

/// <summary>
/// The folder of a cell's journal on a real disk: 0700, its files 0600 and never followed through links. While it is
/// open for writing it holds a lock that the kernel gives back when the process dies; any number may read beside that.
/// Owner: whoever opened it; disposing gives the lock back, after the journal over it was disposed.
/// </summary>
internal sealed class DiskFolder : IJournalDisk, IDisposable
{
    private const string LockName = "lock";
    private const int Mode0600 = 0x180;
    private const int OthersBits = 0x3F;

    private readonly string _path;
    private readonly SafeFileHandle _folder;
    private readonly LockFile? _lock;

    private DiskFolder(string path, SafeFileHandle folder, LockFile? held)
    {
        _path = path;
        _folder = folder;
        _lock = held;
    }

    /// <summary>Opens the folder for the one process that writes the journal; makes it when it is missing.</summary>
    /// <param name="path">Absolute; its parent is made as well.</param>
    /// <param name="folder">The folder, with its lock.</param>
    public static Fault TryOpen(string path, out DiskFolder? folder)
    {
        folder = null;
        var fault = Make(path);
        fault = fault.IsNone ? TryOpenFolder(path, out var handle) : Failed(fault, out handle);
        if (!fault.IsNone)
        {
            return fault;
        }

        fault = LockFile.TryTake(Path.Combine(path, LockName), out var held);
        if (fault.IsNone && held is not null)
        {
            folder = new(path, handle!, held);
            return Fault.None;
        }

        handle!.Dispose();
        return fault.IsNone
            ? new(FaultCode.JournalInUse, $"another process writes the journal in {path}; stop it first")
            : new(FaultCode.JournalUnusable, fault.Message);
    }

    /// <summary>Opens the folder for reading, beside whoever writes it.</summary>
    public static Fault TryOpenReadOnly(string path, out DiskFolder? folder)
    {
        var fault = TryOpenFolder(path, out var handle);
        folder = fault.IsNone ? new(path, handle!, held: null) : null;
        return fault;
    }

    /// <summary>Whether some process has the journal open for writing.</summary>
    public static bool IsInUse(string path) => LockFile.IsHeld(Path.Combine(path, LockName));

    public string PathOf(string name) => name.Length == 0 ? _path : Path.Combine(_path, name);

    public int List(List<string> names)
    {
        try
        {
            foreach (var path in Directory.EnumerateFileSystemEntries(_path))
            {
                names.Add(Path.GetFileName(path));
            }

            return 0;
        }
        catch (DirectoryNotFoundException)
        {
            return JournalErrno.ENOENT;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return JournalErrno.EIO;
        }
    }

    public int Open(string name, bool isWritable, out IJournalFile? file) =>
        OpenFile(name, isWritable ? Arena.Native.Open.O_RDWR : Arena.Native.Open.O_RDONLY, out file);

    public int Create(string name, out IJournalFile? file) => OpenFile(
        name,
        Arena.Native.Open.O_RDWR | Arena.Native.Open.O_CREAT | Arena.Native.Open.O_EXCL,
        out file);

    public int Rename(string from, string to) => Arena.Native.Rename.Move(PathOf(from), PathOf(to));

    public int Delete(string name) => Unlink.File(PathOf(name));

    public int SyncFolder()
    {
        int errno;
        do
        {
            errno = Fsync.Flush(_folder);
        }
        while (errno == Errno.EINTR);
        return errno;
    }

    public int FreeBytes(out long bytes) => FreeSpace.Of(_path, out bytes);

    public void Dispose()
    {
        _lock?.Dispose();
        _folder.Dispose();
    }

    private static Fault Make(string path)
    {
        path = Path.TrimEndingDirectorySeparator(path);
        var parent = Path.GetDirectoryName(path);
        try
        {
            if (parent is { Length: > 0 })
            {
                Directory.CreateDirectory(parent);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(FaultCode.JournalUnusable, $"{parent} cannot be made: {e.Message}");
        }

        var errno = Mkdir.Private(path);
        if (errno is not (0 or Errno.EEXIST))
        {
            return Unusable(path, "making the folder", errno);
        }

        foreach (var folder in UnprovenAbove(path))
        {
            var fault = Sync(folder);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        return Fault.None;
    }

    /// <summary>
    /// The folders to be flushed before the one named here can be relied on: it has to survive a power loss with every
    /// folder above it, or its files are nowhere. Whoever made them may have died before it had flushed them, and which
    /// of them it made cannot be told. So it is all that are this user's, up to a mount, as long as there is no lock:
    /// that file is made after the flush, so it is the proof of it, and later starts have nothing to wait for.
    /// </summary>
    internal static List<string> UnprovenAbove(string path)
    {
        var folders = new List<string>();
        if (File.Exists(Path.Combine(path, LockName)) || !Statx.TryOf(path, out var own))
        {
            return folders;
        }

        // The dot follows a parent that is a symbolic link, which is the user's own choice.
        for (var at = Path.GetDirectoryName(path); at is { Length: > 0 }; at = Path.GetDirectoryName(at))
        {
            var isOwn = Statx.TryOf(Path.Combine(at, "."), out var facts)
                && facts.Uid == User.Id
                && facts.Device == own.Device;
            if (!isOwn && folders.Count > 0)
            {
                break;
            }

            // The nearest one in any case: the folder itself was made in it.
            folders.Add(at);
            if (!isOwn)
            {
                break;
            }
        }

        return folders;
    }

    private static Fault Sync(string path)
    {
        var flags = Arena.Native.Open.O_RDONLY | Arena.Native.Open.O_DIRECTORY;
        using var folder = Arena.Native.Open.File(Path.Combine(path, "."), flags, 0, out var errno);
        errno = errno != 0 ? errno : Fsync.Flush(folder);
        return errno == 0 ? Fault.None : Unusable(path, "flushing the folder", errno);
    }

    private static Fault TryOpenFolder(string path, out SafeFileHandle? folder)
    {
        folder = null;
        var flags = Arena.Native.Open.O_RDONLY | Arena.Native.Open.O_DIRECTORY;
        var handle = Arena.Native.Open.File(Path.TrimEndingDirectorySeparator(path), flags, 0, out var errno);
        if (errno != 0)
        {
            handle.Dispose();
            return errno == Errno.ENOENT
                ? new(FaultCode.JournalUnusable, $"there is no journal in {path}")
                : Unusable(path, "opening the folder", errno);
        }

        if (!Statx.TryOf(handle, out var facts) || facts.Uid != User.Id || (facts.Permissions & OthersBits) != 0)
        {
            handle.Dispose();
            return new(
                FaultCode.JournalUnusable,
                $"{path} must belong to this user alone (mode 0700): tasks' data are in it. Correct owner and mode");
        }

        folder = handle;
        return Fault.None;
    }

    private static Fault Failed(in Fault fault, out SafeFileHandle? handle)
    {
        handle = null;
        return fault;
    }

    private static Fault Unusable(string path, string doing, int errno) => new(
        FaultCode.JournalUnusable,
        $"{path}: {doing} failed: {OsError.Words(errno)}; look after owner, mode and disk");

    private int OpenFile(string name, int flags, out IJournalFile? file)
    {
        file = null;
        var handle = Arena.Native.Open.File(PathOf(name), flags, Mode0600, out var errno);
        if (errno != 0)
        {
            handle.Dispose();
            return errno;
        }

        // A link is refused by the open itself; a pipe or a device would do harm of its own.
        if (!Statx.TryOf(handle, out var facts) || !facts.IsRegular || facts.Uid != User.Id)
        {
            handle.Dispose();
            return Errno.EACCES;
        }

        file = new DiskFile(handle);
        return 0;
    }
}
