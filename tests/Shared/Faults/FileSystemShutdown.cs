// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Shared.Faults;

/// <summary>
/// EXT4_IOC_SHUTDOWN, the same as XFS_IOC_GOINGDOWN: the file system stops at this instant. With
/// <see cref="NoLogFlush"/> nothing more reaches the disk, not even the journal's tail in memory: what a power cut
/// leaves.
/// </summary>
internal static class FileSystemShutdown
{
    private const uint NoLogFlush = 2;

    // _IOR('X', 125, __u32)
    private const uint Request = 0x8004587D;

    /// <summary>Cuts the power of the file system that holds this file, which must be open already.</summary>
    public static void Cut(SafeFileHandle file)
    {
        var flags = NoLogFlush;
        if (ioctl(file, Request, ref flags) != 0)
        {
            throw new IOException($"the file system cannot be shut down (errno {Marshal.GetLastPInvokeError()})");
        }
    }

    [DllImport("libc", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static extern int ioctl(SafeFileHandle file, nuint request, ref uint flags);
}
