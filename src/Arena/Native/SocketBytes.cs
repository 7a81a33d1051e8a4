// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>
/// recv(2) and send(2) that never wait, whatever mode the socket is in. The runtime's own calls hand a socket to its
/// poller for good once one of them would have had to wait, and from then on each message wakes a thread more.
/// </summary>
internal static unsafe partial class SocketBytes
{
    public const int EBADF = 9;
    public const int EAGAIN = 11;
    public const int EPIPE = 32;
    public const int ECONNABORTED = 103;
    public const int ECONNRESET = 104;
    public const int ENOTCONN = 107;
    public const int ETIMEDOUT = 110;

    private const int MSG_DONTWAIT = 0x40;
    private const int MSG_NOSIGNAL = 0x4000;

    /// <summary>Takes what has come, as far as it fits.</summary>
    /// <returns>Bytes received, 0 at the end, or the negative errno.</returns>
    public static int Receive(SafeSocketHandle socket, Span<byte> bytes)
    {
        fixed (byte* place = bytes)
        {
            while (true)
            {
                var count = (int)recv(socket, place, (nuint)bytes.Length, MSG_DONTWAIT);
                if (count >= 0)
                {
                    return count;
                }

                var error = Marshal.GetLastPInvokeError();
                if (error != Errno.EINTR)
                {
                    return -error;
                }
            }
        }
    }

    /// <summary>Sends as much as the kernel has room for.</summary>
    /// <returns>Bytes sent, or the negative errno.</returns>
    public static int Send(SafeSocketHandle socket, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* place = bytes)
        {
            while (true)
            {
                var count = (int)send(socket, place, (nuint)bytes.Length, MSG_DONTWAIT | MSG_NOSIGNAL);
                if (count >= 0)
                {
                    return count;
                }

                var error = Marshal.GetLastPInvokeError();
                if (error != Errno.EINTR)
                {
                    return -error;
                }
            }
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(SafeSocketHandle sockfd, byte* buf, nuint len, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(SafeSocketHandle sockfd, byte* buf, nuint len, int flags);
}
