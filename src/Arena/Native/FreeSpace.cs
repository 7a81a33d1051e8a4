// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>statvfs(3): how much a user may still take from a disk.</summary>
internal static unsafe partial class FreeSpace
{
    /// <returns>0 or an errno.</returns>
    public static int Of(string path, out long bytes)
    {
        Buffer buffer = default;
        bytes = 0;
        if (statvfs(path, &buffer) != 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        bytes = checked((long)(buffer.FragmentBytes * buffer.FragmentsAvailable));
        return 0;
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statvfs(string path, Buffer* buf);

    /// <summary>struct statvfs of 64-bit processors.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Buffer
    {
        [FieldOffset(8)] public ulong FragmentBytes;
        [FieldOffset(32)] public ulong FragmentsAvailable;
    }
}
