// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>mkdir(2): .NET's own does not say whether the folder was there already.</summary>
internal static partial class Mkdir
{
    /// <summary>Makes a folder that only its owner may enter.</summary>
    /// <returns>0 or an errno.</returns>
    public static int Private(string path) => mkdir(path, 0x1C0) == 0 ? 0 : Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int mkdir(string pathname, uint mode);
}
