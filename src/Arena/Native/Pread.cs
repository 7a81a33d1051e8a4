// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>pread(2). .NET's own read does not say which error it was.</summary>
internal static unsafe partial class Pread
{
    /// <returns>0 or an errno; <paramref name="read"/> is 0 at the end of the file.</returns>
    public static int At(SafeFileHandle file, long offset, Span<byte> into, out int read)
    {
        nint result;
        fixed (byte* start = into)
        {
            result = pread(file, start, (nuint)into.Length, offset);
        }

        read = (int)Math.Max(0, result);
        return result < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pread(SafeFileHandle fd, byte* buf, nuint count, long offset);
}
