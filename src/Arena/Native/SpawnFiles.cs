// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>access(2): what this process may do with a path.</summary>
internal static partial class SpawnFiles
{
    private const int X_OK = 1;

    /// <summary>Whether a file may be executed, or a folder entered. False too when there is nothing.</summary>
    public static bool MayExecute(string path) => access(path, X_OK) == 0;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int access(string pathname, int mode);
}
