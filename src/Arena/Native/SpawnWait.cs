// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// waitid(2), poll(2), kill(2) for programs that <see cref="SpawnProcess"/> started. Only the given child is ever
/// waited for, so that other code in this process (System.Diagnostics.Process among it) keeps its own children.
/// </summary>
internal static unsafe partial class SpawnWait
{
    public const int SIGTERM = 15;
    public const int SIGCONT = 18;
    public const int SIGKILL = 9;
    public const int ECHILD = 10;

    private const int P_PID = 1;
    private const int P_PIDFD = 3;
    private const int WNOHANG = 0x1;
    private const int WEXITED = 0x4;
    private const int WNOWAIT = 0x1000000;
    private const int CLD_EXITED = 1;
    private const short POLLIN = 1;
    private const int SignalInfoBytes = 128;
    private const int CodeOffset = 8;
    private const int PidOffset = 16;
    private const int StatusOffset = 24;

    /// <summary>Looks whether the child has ended.</summary>
    /// <param name="pidfd">The child.</param>
    /// <param name="reap">
    /// Whether it is taken from the process table. Until then no other process can get its number, so its group can be
    /// signalled safely.
    /// </param>
    /// <param name="ended">Whether it has.</param>
    /// <param name="exitCode">0 to 255.</param>
    /// <param name="signal">What ended it, or 0.</param>
    /// <returns>0 or errno; ECHILD when someone else took its status.</returns>
    public static int TryWait(SafeFileHandle pidfd, bool reap, out bool ended, out int exitCode, out int signal)
    {
        var info = stackalloc byte[SignalInfoBytes];
        new Span<byte>(info, SignalInfoBytes).Clear();
        ended = false;
        exitCode = 0;
        signal = 0;
        var options = WEXITED | WNOHANG | (reap ? 0 : WNOWAIT);
        int outcome;
        do
        {
            outcome = waitid(P_PIDFD, (uint)pidfd.DangerousGetHandle(), info, options);
        }
        while (outcome != 0 && Marshal.GetLastPInvokeError() == SpawnPipe.EINTR);
        GC.KeepAlive(pidfd);
        if (outcome != 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        if (*(int*)(info + PidOffset) == 0)
        {
            return 0;
        }

        ended = true;
        var status = *(int*)(info + StatusOffset);
        if (*(int*)(info + CodeOffset) == CLD_EXITED)
        {
            exitCode = status & 0xff;
        }
        else
        {
            signal = status;
        }

        return 0;
    }

    /// <summary>
    /// Signals every process of a group whose leader has not been reaped. An empty group is no error.
    /// </summary>
    public static void SignalGroup(int leader, int signal)
    {
        if (leader <= 1)
        {
            throw new ArgumentOutOfRangeException(nameof(leader), leader, "no group of a child has this number");
        }

        _ = kill(-leader, signal);
    }

    /// <summary>Takes a child that ends at once, or has ended, from the process table; waits for it.</summary>
    public static void Reap(SafeFileHandle pidfd)
    {
        var info = stackalloc byte[SignalInfoBytes];
        while (waitid(P_PIDFD, (uint)pidfd.DangerousGetHandle(), info, WEXITED) != 0
            && Marshal.GetLastPInvokeError() == SpawnPipe.EINTR)
        {
        }

        GC.KeepAlive(pidfd);
    }

    /// <summary>Takes an adopted child from the process table if it has ended; does not wait.</summary>
    public static void ReapAdopted(int pid)
    {
        var info = stackalloc byte[SignalInfoBytes];
        _ = waitid(P_PID, (uint)pid, info, WEXITED | WNOHANG);
    }

    /// <summary>Kills one process by its number, of which the caller knows that it is not another's by now.</summary>
    public static void Kill(int pid)
    {
        if (pid > 1)
        {
            _ = kill(pid, SIGKILL);
        }
    }

    /// <summary>
    /// Waits until the child has ended or one of its outputs can be read, at most this time.
    /// </summary>
    /// <param name="pidfd">The child.</param>
    /// <param name="output">Null: not looked at.</param>
    /// <param name="error">The same.</param>
    /// <param name="timeoutMs">0 only looks.</param>
    /// <returns>Bit 0: it has ended; bit 1: the output, bit 2: the error can be read.</returns>
    public static int Poll(SafeFileHandle pidfd, SafeFileHandle? output, SafeFileHandle? error, int timeoutMs)
    {
        var entries = stackalloc Pollfd[3];
        entries[0] = new Pollfd { Fd = (int)pidfd.DangerousGetHandle(), Events = POLLIN };
        entries[1] = new Pollfd { Fd = (int)(output?.DangerousGetHandle() ?? -1), Events = POLLIN };
        entries[2] = new Pollfd { Fd = (int)(error?.DangerousGetHandle() ?? -1), Events = POLLIN };
        var count = poll(entries, 3, timeoutMs);
        GC.KeepAlive(pidfd);
        GC.KeepAlive(output);
        GC.KeepAlive(error);

        // An interruption counts as nothing seen yet: the caller looks again anyway.
        return count <= 0
            ? 0
            : (entries[0].Revents != 0 ? 1 : 0) | (entries[1].Revents != 0 ? 2 : 0) | (entries[2].Revents != 0 ? 4 : 0);
    }

    /// <summary>Kills a child and its group and waits until it is dead, without reaping it.</summary>
    public static void KillUnreaped(int pid, SafeFileHandle pidfd)
    {
        SignalGroup(pid, SIGKILL);
        var info = stackalloc byte[SignalInfoBytes];
        while (waitid(P_PIDFD, (uint)pidfd.DangerousGetHandle(), info, WEXITED | WNOWAIT) != 0
            && Marshal.GetLastPInvokeError() == SpawnPipe.EINTR)
        {
        }

        GC.KeepAlive(pidfd);
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int waitid(int idtype, uint id, byte* infop, int options);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int kill(int pid, int sig);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(Pollfd* fds, nuint nfds, int timeout);

    [StructLayout(LayoutKind.Sequential)]
    private struct Pollfd
    {
        public int Fd;
        public short Events;
        public short Revents;
    }
}
