// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>statx(2): unlike stat(2) its struct is the same on every processor.</summary>
internal static unsafe partial class Statx
{
    public const ushort S_IFMT = 0xF000;
    public const ushort S_IFREG = 0x8000;
    public const ushort S_IFDIR = 0x4000;
    public const ushort S_IFLNK = 0xA000;

    private const int AT_FDCWD = -100;
    private const int AT_SYMLINK_NOFOLLOW = 0x100;
    private const int AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7FF;

    /// <summary>What is behind an open file. False only when the handle is no longer open.</summary>
    public static bool TryOf(SafeFileHandle file, out FileFacts facts)
    {
        var added = false;
        try
        {
            file.DangerousAddRef(ref added);
            return TryCall((int)file.DangerousGetHandle(), string.Empty, AT_EMPTY_PATH, out facts);
        }
        finally
        {
            if (added)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>What has this name; a symbolic link itself, not what it names.</summary>
    public static bool TryOf(string path, out FileFacts facts) =>
        TryCall(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, out facts);

    private static bool TryCall(int dirfd, string path, int flags, out FileFacts facts)
    {
        Buffer buffer = default;
        if (statx(dirfd, path, flags, STATX_BASIC_STATS, &buffer) != 0)
        {
            facts = default;
            return false;
        }

        facts = new FileFacts(
            buffer.Mode, buffer.Uid, buffer.Nlink, (long)buffer.Size, buffer.Ino,
            ((ulong)buffer.DevMajor << 32) | buffer.DevMinor)
        {
            AllocatedBytes = (long)buffer.Blocks * 512,
            ChangedUnixNs = (buffer.ChangedSeconds * 1_000_000_000) + buffer.ChangedNanoseconds,
        };
        return true;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int dirfd, string pathname, int flags, uint mask, Buffer* statxbuf);

    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Buffer
    {
        [FieldOffset(16)] public uint Nlink;
        [FieldOffset(20)] public uint Uid;
        [FieldOffset(28)] public ushort Mode;
        [FieldOffset(32)] public ulong Ino;
        [FieldOffset(40)] public ulong Size;
        [FieldOffset(48)] public ulong Blocks;
        [FieldOffset(96)] public long ChangedSeconds;
        [FieldOffset(104)] public uint ChangedNanoseconds;
        [FieldOffset(136)] public uint DevMajor;
        [FieldOffset(140)] public uint DevMinor;
    }
}
