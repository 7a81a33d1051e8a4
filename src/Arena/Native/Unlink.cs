// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>unlink(2). .NET's own delete calls a missing file a success.</summary>
internal static partial class Unlink
{
    /// <returns>0 or an errno.</returns>
    public static int File(string path) => unlink(path) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlink(string pathname);
}
