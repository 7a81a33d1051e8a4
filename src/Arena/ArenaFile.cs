// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Threading;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// Makes, finds and refuses arena files. They live in /dev/shm/muster-UID/ (mode 0700) as CELL.arena (mode 0600), made
/// with O_EXCL, opened with O_NOFOLLOW, checked by owner, mode, links, size, header and boot id before they are used.
/// Who makes or removes one holds CELL.lock meanwhile, so there is one maker.
/// </summary>
internal static class ArenaFile
{
    /// <summary>Making an arena of 128 GiB takes about a minute; nobody makes one of that size by accident.</summary>
    private const int MakerTimeoutMs = 90_000;

    private const int Mode0600 = 0x180;

    /// <summary>A tenth more than wanted must be free, for others need some too.</summary>
    private const long FreeTenths = 11;

    /// <summary>The path of a cell's arena.</summary>
    public static string PathOf(string cell)
    {
        var fault = ArenaFolder.CheckCell(cell);
        return fault.IsNone ? ArenaFolder.Arena(cell) : throw new ArgumentException(fault.Message, nameof(cell));
    }

    /// <summary>
    /// Attaches the cell's arena, or makes it when there is none or when the one there cannot be used (other boot,
    /// damaged, other layout: renamed aside, and the caller is told through <paramref name="note"/>). Never follows a
    /// symbolic link, never uses a file of another user, never moves an arena while a role of the cell is alive.
    /// </summary>
    /// <param name="cell">1 to 32 characters of [a-z0-9-].</param>
    /// <param name="limits">
    /// Sizes for a new arena; an existing one keeps its own. The defaults are halved until they fit a small /dev/shm;
    /// any others are refused when they do not fit.
    /// </param>
    /// <param name="stateFolder">Keeps the cell's epoch across arenas; null for a cell that dies with its
    /// process.</param>
    /// <param name="map">The arena; null when refused.</param>
    /// <param name="note">What a person should know: made anew and why; empty otherwise.</param>
    public static Fault OpenOrCreate(
        string cell, ArenaLimits limits, string? stateFolder, out ArenaMap? map, out string note)
    {
        map = null;
        note = string.Empty;
        LockFile? maker = null;
        try
        {
            var fault = ArenaFolder.CheckCell(cell);
            fault = fault.IsNone ? limits.Check() : fault;
            fault = fault.IsNone ? ArenaFolder.Ensure() : fault;
            fault = fault.IsNone
                ? LockFile.Take(ArenaFolder.CellLock(cell), MakerTimeoutMs, out maker)
                : fault;
            return fault.IsNone ? OpenOrCreateLocked(cell, limits, stateFolder, out map, out note) : fault;
        }
        finally
        {
            maker?.Dispose();
        }
    }

    /// <summary>
    /// Attaches an existing arena, read-only or not; never makes or moves one. Takes no lock, so it works while the
    /// roles hang or are dead.
    /// </summary>
    public static Fault Attach(string cell, bool readOnly, out ArenaMap? map)
    {
        map = null;
        var fault = ArenaFolder.CheckCell(cell);
        fault = fault.IsNone ? ArenaFolder.CheckPresent() : fault;
        return fault.IsNone ? ArenaAttachment.Try(cell, readOnly, out map, out _).Fault : fault;
    }

    /// <summary>
    /// An arena in memory of this process alone, without a file: for embedded cells' tests and simulation.
    /// </summary>
    public static ArenaMap CreatePrivate(ArenaLimits limits, uint epoch = 1)
    {
        Invariant.That(limits.Check().IsNone);
        var layout = ArenaLayout.Of(limits);
        var map = new ArenaMap(ArenaMemory.CreatePrivate(layout.TotalBytes), limits, cell: null, file: null);
        map.Initialise();
        map.Publish(ArenaHeader.New(limits, layout.TotalBytes, epoch, NewCellId(), NowUnixUs()));
        return map;
    }

    /// <summary>
    /// Removes the files of a cell whose processes have all ended; for embedded cells. Nothing to remove is success;
    /// refused with <see cref="FaultCode.RoleTaken"/> while a role of the cell is alive.
    /// </summary>
    public static Fault Remove(string cell)
    {
        var fault = ArenaFolder.CheckCell(cell);
        if (!fault.IsNone || ArenaFolder.CheckPresent().Code == FaultCode.ArenaMissing)
        {
            return fault;
        }

        fault = LockFile.Take(ArenaFolder.CellLock(cell), MakerTimeoutMs, out var maker);
        if (!fault.IsNone)
        {
            return fault;
        }

        using (maker)
        {
            return RemoveLocked(cell);
        }
    }

    internal static long NowUnixUs() =>
        (TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    private static Fault OpenOrCreateLocked(
        string cell, ArenaLimits limits, string? stateFolder, out ArenaMap? map, out string note)
    {
        note = string.Empty;
        var found = ArenaAttachment.Try(cell, readOnly: false, out map, out var epochSeen);
        switch (found.Outcome)
        {
            case ArenaAttachment.Kind.Attached:
                return KeepEpoch(stateFolder, ref map);
            case ArenaAttachment.Kind.Refused:
                return found.Fault;
            case ArenaAttachment.Kind.Unusable:
                if (ArenaFolder.TryFindLivingRole(cell, out var role))
                {
                    return found.Fault with
                    {
                        Message = $"{found.Fault.Message}. The cell's {ArenaFolder.RoleName(role)} is alive, so the "
                            + "file was left alone; stop the cell's processes, then start again",
                    };
                }

                var aside = ArenaFolder.MoveAside(cell);
                note = $"{found.Fault.Message}; it was moved to {aside} and the cell begins with an empty arena. ";
                break;
        }

        var fault = FitIn(cell, ref limits, ref note);
        return fault.IsNone ? Create(cell, limits, stateFolder, epochSeen, out map) : fault;
    }

    private static Fault KeepEpoch(string? stateFolder, ref ArenaMap? map)
    {
        var fault = stateFolder is null ? Fault.None : CellEpoch.RecordAtLeast(stateFolder, map!.Epoch);
        if (!fault.IsNone)
        {
            map!.Dispose();
            map = null;
        }

        return fault;
    }

    /// <summary>Makes room or, for the default limits, makes do with less.</summary>
    private static Fault FitIn(string cell, ref ArenaLimits limits, ref string note)
    {
        var wanted = ArenaLayout.Of(limits).ReservedBytes;
        if (wanted * FreeTenths / 10 <= FreeBytes())
        {
            return Fault.None;
        }

        if (ArenaFolder.DropBad(cell))
        {
            note += "What was moved aside was removed to make room. ";
        }

        var free = FreeBytes();
        if (wanted * FreeTenths / 10 <= free)
        {
            return Fault.None;
        }

        var smaller = limits == new ArenaLimits() ? ArenaLimits.DefaultsWithin(free * 10 / FreeTenths) : null;
        if (smaller is null)
        {
            return NoSpace(wanted, free);
        }

        limits = smaller;
        note += $"{ArenaFolder.Parent} has {free >> 20} MiB free, so the arena holds {smaller.TasksMax:N0} tasks, "
            + $"{smaller.PayloadBytesMax >> 20} MiB of payloads and {smaller.ResultBytesMax >> 20} MiB of results "
            + "instead of the defaults; give it more (Docker: --shm-size=512m) for more.";
        return Fault.None;
    }

    private static Fault Create(
        string cell, ArenaLimits limits, string? stateFolder, uint epochSeen, out ArenaMap? map)
    {
        map = null;
        var path = ArenaFolder.Arena(cell);
        var layout = ArenaLayout.Of(limits);
        var bytes = layout.TotalBytes;
        var file = Open.File(path, Open.O_CREAT | Open.O_EXCL | Open.O_RDWR, Mode0600, out var errno);
        if (errno != 0)
        {
            file.Dispose();
            return ArenaFolder.Refusal(path, errno);
        }

        try
        {
            var fault = Reserve(file, path, layout);
            var epoch = 1u;
            if (fault.IsNone && stateFolder is not null)
            {
                fault = CellEpoch.Advance(stateFolder, epochSeen, out epoch);
            }

            if (!fault.IsNone)
            {
                return fault;
            }

            var pages = MappedPages.TryMapFile(file, bytes, readOnly: false, out errno);
            if (pages is null)
            {
                return ArenaFolder.Unmappable(path, bytes, errno);
            }

            map = new ArenaMap(new ArenaMemory(pages, isReadOnly: false) { File = file }, limits, cell, file);
            map.Initialise();
            map.Publish(ArenaHeader.New(limits, bytes, epoch, NewCellId(), NowUnixUs()));
            return Fault.None;
        }
        finally
        {
            if (map is null)
            {
                File.Delete(path);
                file.Dispose();
            }
        }
    }

    private static Fault Reserve(SafeFileHandle file, string path, ArenaLayout layout)
    {
        var bytes = layout.ReservedBytes;
        switch (Fallocate.Reserve(file, bytes))
        {
            case 0:
                RandomAccess.SetLength(file, layout.TotalBytes);
                return Fault.None;
            case Errno.ENOSPC:
                return NoSpace(bytes, FreeBytes());
            case var errno:
                return new(
                    FaultCode.ArenaNoSpace, $"{path}: {bytes} bytes cannot be reserved ({OsError.Words(errno)})");
        }
    }

    private static Fault RemoveLocked(string cell)
    {
        var held = new List<LockFile>();
        try
        {
            // Held to the end, so that no role can begin meanwhile.
            foreach (var role in Enum.GetValues<Role>())
            {
                var fault = LockFile.TryTake(ArenaFolder.RoleLock(cell, role), out var taken);
                if (!fault.IsNone)
                {
                    return fault;
                }

                if (taken is null)
                {
                    return new(
                        FaultCode.RoleTaken,
                        $"the {ArenaFolder.RoleName(role)} of cell {cell} is alive; stop it, then remove its arena");
                }

                held.Add(taken);
            }

            RemoveFiles(cell);
            return Fault.None;
        }
        finally
        {
            held.ForEach(each => each.Dispose());
        }
    }

    private static void RemoveFiles(string cell)
    {
        if (ArenaAttachment.Try(cell, readOnly: false, out var map, out _).Fault.IsNone)
        {
            map!.Retire();
            map.Dispose();
        }

        File.Delete(ArenaFolder.Arena(cell));
        ArenaFolder.DropBad(cell);
        foreach (var each in Enum.GetValues<Role>())
        {
            File.Delete(ArenaFolder.RoleLock(cell, each));
        }

        File.Delete(ArenaFolder.CellLock(cell));
    }

    private static Fault NoSpace(long wanted, long free) =>
        new(
            FaultCode.ArenaNoSpace,
            $"the arena needs {wanted >> 20} MiB and a tenth more in {ArenaFolder.Parent}, which has {free >> 20} MiB "
            + $"free; free some, lower the limits, or make it larger (Docker: --shm-size={(wanted >> 19) + 64}m; "
            + $"elsewhere: mount -o remount,size={(wanted >> 19) + 64}m {ArenaFolder.Parent})");

    private static long FreeBytes() => new DriveInfo(ArenaFolder.Parent).AvailableFreeSpace;

    private static ulong NewCellId()
    {
        Span<ulong> id = stackalloc ulong[1];
        do
        {
            RandomNumberGenerator.Fill(MemoryMarshal.AsBytes(id));
        }
        while (id[0] == 0);
        return id[0];
    }
}
