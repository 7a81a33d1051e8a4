// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>pwrite(2). .NET's own write says neither which error it was nor how much was written before it.</summary>
internal static unsafe partial class Pwrite
{
    /// <returns>0 or an errno; possibly not everything was written.</returns>
    public static int At(SafeFileHandle file, long offset, ReadOnlySpan<byte> bytes, out int written)
    {
        nint result;
        fixed (byte* start = bytes)
        {
            result = pwrite(file, start, (nuint)bytes.Length, offset);
        }

        written = (int)Math.Max(0, result);
        return result < 0 ? Marshal.GetLastPInvokeError() : 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint pwrite(SafeFileHandle fd, byte* buf, nuint count, long offset);
}
