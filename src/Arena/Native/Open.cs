// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// open(2). .NET's own file streams neither refuse symbolic links nor tell EEXIST from other failures.
/// </summary>
internal static partial class Open
{
    public const int O_RDONLY = 0;
    public const int O_RDWR = 2;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_CLOEXEC = 0x80000;

    private const int NOFOLLOW_BITS_X64 = 0x20000;
    private const int NOFOLLOW_BITS_ARM64 = 0x8000;
    private const int DIRECTORY_BITS_X64 = 0x10000;
    private const int DIRECTORY_BITS_ARM64 = 0x4000;

    /// <summary>Two flags whose bits differ between processors.</summary>
    public static int O_NOFOLLOW => IsArm64 ? NOFOLLOW_BITS_ARM64 : NOFOLLOW_BITS_X64;

    public static int O_DIRECTORY => IsArm64 ? DIRECTORY_BITS_ARM64 : DIRECTORY_BITS_X64;

    private static bool IsArm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Opens a file; never inherited by child processes, never through a symbolic link at the end.</summary>
    /// <param name="path">The file.</param>
    /// <param name="flags">O_ constants; O_CLOEXEC and O_NOFOLLOW are added.</param>
    /// <param name="mode">Permission bits for O_CREAT.</param>
    /// <param name="errno">0, or why the handle is invalid.</param>
    public static SafeFileHandle File(string path, int flags, int mode, out int errno)
    {
        int fd;
        do
        {
            fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, mode);
            errno = fd < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
        while (errno == Errno.EINTR);
        return new SafeFileHandle(fd, ownsHandle: true);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string pathname, int flags, int mode);
}
