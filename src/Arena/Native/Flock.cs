// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// flock(2): a lock on an open file that the kernel gives back when its holder dies. Two opens of one file exclude each
/// other even within a process.
/// </summary>
internal static partial class Flock
{
    public const int LOCK_EX = 2;
    public const int LOCK_NB = 4;
    public const int LOCK_UN = 8;

    /// <summary>Takes the lock when it is free; never waits.</summary>
    public static bool TryExclusive(SafeFileHandle file)
    {
        int result;
        do
        {
            result = flock(file, LOCK_EX | LOCK_NB);
        }
        while (result != 0 && Marshal.GetLastPInvokeError() == Errno.EINTR);
        return result == 0;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle fd, int operation);
}
