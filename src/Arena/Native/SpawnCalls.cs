// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>posix_spawn(3) and what prepares it, as glibc 2.34 and later have it.</summary>
internal static unsafe partial class SpawnCalls
{
    public const short POSIX_SPAWN_SETSIGDEF = 0x04;
    public const short POSIX_SPAWN_SETSIGMASK = 0x08;
    public const short POSIX_SPAWN_SETSID = 0x80;

    /// <summary>
    /// Room for posix_spawnattr_t (336 bytes) and posix_spawn_file_actions_t (80 bytes) with a margin.
    /// </summary>
    public const int ObjectBytes = 512;

    /// <summary>sizeof(sigset_t).</summary>
    public const int SignalSetBytes = 128;

    [LibraryImport("libc")]
    public static partial int posix_spawn(
        int* pid, byte* path, byte* file_actions, byte* attrp, byte** argv, byte** envp);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_init(byte* attr);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setflags(byte* attr, short flags);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigmask(byte* attr, byte* sigmask);

    [LibraryImport("libc")]
    public static partial int posix_spawnattr_setsigdefault(byte* attr, byte* sigdefault);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_init(byte* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_destroy(byte* file_actions);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_adddup2(byte* file_actions, int fildes, int newfildes);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addchdir_np(byte* file_actions, byte* path);

    [LibraryImport("libc")]
    public static partial int posix_spawn_file_actions_addclosefrom_np(byte* file_actions, int from);
}
