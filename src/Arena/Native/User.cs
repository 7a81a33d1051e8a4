// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>geteuid(2).</summary>
internal static partial class User
{
    /// <summary>The effective user of this process: the owner of what it creates.</summary>
    public static uint Id { get; } = geteuid();

    [LibraryImport("libc")]
    private static partial uint geteuid();
}
