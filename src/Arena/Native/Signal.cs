// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>kill(2). To kill for good use <see cref="PidWatch"/>, which cannot hit another process.</summary>
internal static partial class Signal
{
    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    /// <summary>Sends a signal; false when there is no such process or it is not ours.</summary>
    public static bool Send(uint pid, int signal) => kill((int)pid, signal) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int sig);
}
