// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Muster.Core;

namespace Muster.Arena.Native;

/// <summary>
/// getrlimit(2), setrlimit(2) for open files. Running out of them ends a server, so hosts ask at start.
/// </summary>
internal static unsafe partial class FileLimit
{
    private const int RLIMIT_NOFILE = 7;

    /// <summary>Open files that this process may have now.</summary>
    public static ulong Present
    {
        get
        {
            Rlimit limit;
            return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.Soft : 0;
        }
    }

    /// <summary>The limit above which nothing may be raised.</summary>
    public static ulong HardOf(int resource)
    {
        Rlimit limit;
        return getrlimit(resource, &limit) == 0 ? limit.Hard : 0;
    }

    /// <summary>Raises the soft limit as far as the hard one allows; refused when that is less than wanted.</summary>
    public static Fault Ensure(ulong wanted)
    {
        Rlimit limit;
        Invariant.That(getrlimit(RLIMIT_NOFILE, &limit) == 0);
        if (limit.Soft >= wanted)
        {
            return Fault.None;
        }

        if (limit.Hard >= wanted)
        {
            limit.Soft = limit.Hard;
            if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
            {
                return Fault.None;
            }
        }

        return new(
            FaultCode.FileLimitTooLow,
            $"this process may open {limit.Hard} files and needs {wanted}; raise it (ulimit -n {wanted}, or "
            + $"LimitNOFILE={wanted} in its systemd unit) or lower the limit of connections");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int getrlimit(int resource, Rlimit* rlim);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setrlimit(int resource, Rlimit* rlim);

    [StructLayout(LayoutKind.Sequential)]
    private struct Rlimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
