// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// posix_fallocate(3): reserves a file's pages. A sparse mapping on a full tmpfs would end the process with an
/// uncatchable SIGBUS at some later touch; this says ENOSPC at once.
/// </summary>
internal static partial class Fallocate
{
    /// <summary>Makes the file <paramref name="bytes"/> long with all pages reserved and zero.</summary>
    /// <returns>0 or an errno; a failed call may leave part of the file.</returns>
    public static int Reserve(SafeFileHandle file, long bytes) => Reserve(file, 0, bytes);

    /// <summary>Reserves a part of the file, which keeps what it holds.</summary>
    /// <returns>0 or an errno.</returns>
    public static int Reserve(SafeFileHandle file, long offset, long bytes)
    {
        int errno;
        do
        {
            // The call gives its errno back and leaves the global one alone.
            errno = posix_fallocate(file, offset, bytes);
        }
        while (errno == Errno.EINTR);
        return errno;
    }

    [LibraryImport("libc")]
    private static partial int posix_fallocate(SafeFileHandle fd, long offset, long len);
}
