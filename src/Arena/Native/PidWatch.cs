// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// pidfd_open(2), pidfd_send_signal(2): a handle on one process. It becomes readable when the process exits, and never
/// means another process that got the same pid later. Thread-safe.
/// </summary>
internal sealed partial class PidWatch : SafeHandleMinusOneIsInvalid
{
    private const int SIGKILL = 9;
    private const nint SYS_pidfd_send_signal = 424;
    private const nint SYS_pidfd_open = 434;

    private PidWatch(nint descriptor)
        : base(ownsHandle: true) => SetHandle(descriptor);

    /// <summary>
    /// A watch on the process with this pid and start time (field 22 of /proc/PID/stat), or null when it has exited, is
    /// a zombie, or the pid is another's by now.
    /// </summary>
    public static PidWatch? TryOpen(uint pid, ulong start)
    {
        var descriptor = syscall(SYS_pidfd_open, (nint)pid, 0, 0, 0);
        if (descriptor < 0)
        {
            return null;
        }

        var watch = new PidWatch(descriptor);

        // Read after the open: while the handle is held the pid cannot come to mean another living process unseen.
        if (ProcStat.IsAlive(pid, start))
        {
            return watch;
        }

        watch.Dispose();
        return null;
    }

    /// <summary>Kills the process with SIGKILL; false when it was gone already or is not ours to kill.</summary>
    public bool Kill() => syscall(SYS_pidfd_send_signal, (nint)DangerousGetHandle(), SIGKILL, 0, 0) == 0;

    protected override bool ReleaseHandle() => close((int)handle) == 0;

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint a, nint b, nint c, nint d);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int fd);
}
