// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// memfd_create(2) and the seals of fcntl(2): shared memory without a name, whose size nobody can change any more, so
/// that a peer that means ill cannot pull pages away under this process.
/// </summary>
internal static partial class SharedFile
{
    private const int MFD_CLOEXEC = 1;
    private const int MFD_ALLOW_SEALING = 2;
    private const int F_ADD_SEALS = 1033;
    private const int F_GET_SEALS = 1034;
    private const int F_SEAL_SEAL = 1;
    private const int F_SEAL_SHRINK = 2;
    private const int F_SEAL_GROW = 4;

    /// <summary>A zeroed file of this size, all of its pages reserved, sealed.</summary>
    /// <returns>0 or an errno.</returns>
    public static int Create(long bytes, out SafeFileHandle? file)
    {
        file = null;
        var fd = memfd_create("muster-link", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        var made = new SafeFileHandle(fd, ownsHandle: true);
        var errno = Fallocate.Reserve(made, bytes);
        if (errno == 0 && fcntl(made, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
        {
            errno = Marshal.GetLastPInvokeError();
        }

        if (errno != 0)
        {
            made.Dispose();
            return errno;
        }

        file = made;
        return 0;
    }

    /// <summary>Whether nobody can make the file shorter.</summary>
    public static bool IsSealed(SafeFileHandle file)
    {
        var seals = fcntl(file, F_GET_SEALS, 0);
        return seals >= 0 && (seals & F_SEAL_SHRINK) != 0;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int memfd_create(string name, uint flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(SafeFileHandle fd, int cmd, int arg);
}
