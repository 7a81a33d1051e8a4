// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>futex(2), shared between processes unless said otherwise. glibc has no function for it.</summary>
internal static partial class Futex
{
    public const int FUTEX_WAKE = 1;
    public const int FUTEX_WAIT_BITSET = 9;
    public const int FUTEX_BITSET_MATCH_ANY = -1;
    public const int FUTEX_PRIVATE_FLAG = 128;

    /// <summary>Bits of the word of a robust mutex, part of the kernel's interface: the holder's thread id.</summary>
    public const uint FUTEX_TID_MASK = 0x3FFF_FFFF;

    private static readonly nint s_number =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 98 : 202;

    /// <summary>
    /// Sleeps while the word holds <paramref name="expected"/>, until woken or a moment of CLOCK_MONOTONIC.
    /// </summary>
    /// <returns>0, or an errno: EWOULDBLOCK when the word held another value, EINTR, ETIMEDOUT.</returns>
    public static int Wait(ref int word, int expected, long deadlineNs)
    {
        var deadline = Timespec.OfNanoseconds(deadlineNs);
        var result = syscall(
            s_number, ref word, FUTEX_WAIT_BITSET, expected, in deadline, 0, FUTEX_BITSET_MATCH_ANY);
        return result == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Wakes all who sleep on the word.</summary>
    public static void WakeAll(ref int word) => _ = syscall(s_number, ref word, FUTEX_WAKE, int.MaxValue, 0, 0, 0);

    /// <summary>As <see cref="Wait"/>, for a word that no other process sees, without an end.</summary>
    /// <returns>0, or an errno: EWOULDBLOCK when the word held another value, EINTR.</returns>
    public static int WaitPrivate(ref int word, int expected)
    {
        var result = syscall(
            s_number, ref word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, expected, 0, 0, FUTEX_BITSET_MATCH_ANY);
        return result == 0 ? 0 : Marshal.GetLastPInvokeError();
    }

    /// <summary>Wakes one who sleeps on a word that no other process sees.</summary>
    public static void WakePrivate(ref int word) =>
        _ = syscall(s_number, ref word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(
        nint number, ref int uaddr, nint op, nint val, in Timespec timeout, nint uaddr2, nint val3);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(
        nint number, ref int uaddr, nint op, nint val, nint timeout, nint uaddr2, nint val3);
}
