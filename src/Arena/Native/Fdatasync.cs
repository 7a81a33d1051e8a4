// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// fdatasync(2): contents and length without times. .NET's own flush swallows its errors.
/// </summary>
internal static partial class Fdatasync
{
    /// <returns>0 or an errno. After an error nothing is known of what the disk holds.</returns>
    public static int Flush(SafeFileHandle file) => fdatasync(file) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fdatasync(SafeFileHandle fd);
}
