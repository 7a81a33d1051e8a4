// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Linq;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena;

/// <summary>
/// The names in /dev/shm/muster-UID/: CELL.arena, CELL.lock (making and removing it), CELL.ROLE.lock (holding a role),
/// CELL.arena.bad-N (what was found unusable, newest first). The folder is this user's alone, so nobody else can plant
/// or exchange files in it; it is checked before each use all the same, because anybody can make one of that name
/// first.
/// </summary>
internal static class ArenaFolder
{
    public const string Parent = "/dev/shm";
    public const int CellNameMax = 32;
    public const int BadFilesMax = 3;

    private const int Mode0700 = 0x1C0;

    public static string Path { get; } = $"{Parent}/muster-{User.Id}";

    public static string Arena(string cell) => $"{Path}/{cell}.arena";

    public static string CellLock(string cell) => $"{Path}/{cell}.lock";

    public static string RoleLock(string cell, Role role) => $"{Path}/{cell}.{RoleName(role)}.lock";

    public static string RoleName(Role role) => role switch
    {
        Role.Plm => "plm",
        Role.Scheduler => "scheduler",
        Role.Register => "register",
        _ => throw new ArgumentOutOfRangeException(nameof(role)),
    };

    /// <summary>1 to 32 characters of [a-z0-9-]: safe in paths and for people to type.</summary>
    public static Fault CheckCell(string cell) =>
        cell.Length is > 0 and <= CellNameMax && cell.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-')
            ? Fault.None
            : new(
                FaultCode.InvalidArgument,
                $"'{cell}' cannot name a cell: use 1 to {CellNameMax} of the characters a-z, 0-9 and '-'");

    /// <summary>Makes the folder when it is missing; refuses one that is not this user's alone.</summary>
    public static Fault Ensure()
    {
        var errno = Mkdir.Private(Path);
        if (errno is not (0 or Errno.EEXIST))
        {
            return errno == Errno.ENOSPC
                ? Refusal(Path, errno)
                : new(FaultCode.ArenaMissing, $"{Path} cannot be made ({OsError.Words(errno)}); is {Parent} writable?");
        }

        return CheckPresent();
    }

    /// <summary>As <see cref="Ensure"/>, but a missing folder means a missing arena.</summary>
    public static Fault CheckPresent() =>
        Statx.TryOf(Path, out var facts)
            ? CheckFacts(facts)
            : new(FaultCode.ArenaMissing, $"no cell of this user has an arena: {Path} does not exist");

    /// <summary>Whether any role of the cell is alive, and which.</summary>
    public static bool TryFindLivingRole(string cell, out Role role)
    {
        foreach (var each in Enum.GetValues<Role>())
        {
            if (LockFile.IsHeld(RoleLock(cell, each)))
            {
                role = each;
                return true;
            }
        }

        role = default;
        return false;
    }

    /// <summary>Gives an unusable arena another name, for people to look at, and forgets the oldest such.</summary>
    /// <returns>The new name.</returns>
    public static string MoveAside(string cell)
    {
        var arena = Arena(cell);
        for (var number = BadFilesMax; number > 1; number--)
        {
            // ENOENT where there are fewer; the target, if any, is replaced.
            _ = Rename.Move(Bad(cell, number - 1), Bad(cell, number));
        }

        var errno = Rename.Move(arena, Bad(cell, 1));
        Invariant.That(errno is 0 or Errno.ENOENT);
        return Bad(cell, 1);
    }

    /// <summary>Gives back the memory of arenas that were moved aside.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool DropBad(string cell)
    {
        var any = false;
        for (var number = 1; number <= BadFilesMax; number++)
        {
            any |= File.Exists(Bad(cell, number));
            File.Delete(Bad(cell, number));
        }

        return any;
    }

    /// <summary>What a failed open means to a person.</summary>
    public static Fault Refusal(string path, int errno) => errno switch
    {
        Errno.ENOENT => new(FaultCode.ArenaMissing, $"{path} does not exist; is the cell running?"),
        Errno.ELOOP => new(
            FaultCode.ArenaOtherOwner,
            $"{path} is a symbolic link, which is never followed; find out who made it, and remove it"),
        Errno.EACCES => new(
            FaultCode.ArenaOtherOwner, $"{path} may not be opened by this user; find out who made it, and remove it"),
        Errno.ENOSPC => new(FaultCode.ArenaNoSpace, $"{Parent} is full: {path} cannot be made; free some of it"),
        _ => new(FaultCode.ArenaDamaged, $"{path} cannot be opened ({OsError.Words(errno)})"),
    };

    /// <summary>What a failed mmap means to a person.</summary>
    public static Fault Unmappable(string path, long bytes, int errno) =>
        new(
            FaultCode.ArenaNoSpace,
            $"{path}: {bytes >> 20} MiB cannot be mapped ({OsError.Words(errno)}); raise this process's limit of "
            + "address space (ulimit -v)");

    private static string Bad(string cell, int number) => $"{Arena(cell)}.bad-{number}";

    private static Fault CheckFacts(in FileFacts facts) =>
        facts.IsFolder && facts.Uid == User.Id && facts.Permissions == Mode0700
            ? Fault.None
            : new(
                FaultCode.ArenaOtherOwner,
                $"{Path} must be a folder of user {User.Id} with mode 0700; it is "
                + $"{(facts.IsFolder ? "a folder" : "no folder")} of user {facts.Uid} with mode "
                + $"{Convert.ToString(facts.Permissions, 8)}; find out who made it, and remove it");
}
