// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// connect(2) to a Unix socket, to see whether anybody listens there. Unlike the runtime's sockets it throws nothing:
/// a role that starts, and a client whose server is away, ask this where "nobody" is the usual answer.
/// </summary>
internal static unsafe partial class UnixConnect
{
    public const int ECONNREFUSED = 111;

    private const int AF_UNIX = 1;
    private const int SOCK_STREAM = 1;
    private const int SOCK_NONBLOCK = 0x800;
    private const int SOCK_CLOEXEC = 0x80000;
    private const int PathOffset = 2;
    private const int AddressBytes = 110;

    /// <summary>Connects and hangs up at once. Never waits.</summary>
    /// <returns>0: somebody listens. ENOENT or ECONNREFUSED: nobody does. Another errno: it cannot be told, or who
    /// listens there is busy.</returns>
    public static int Try(string path)
    {
        var bytes = Encoding.UTF8.GetByteCount(path);
        if (bytes >= AddressBytes - PathOffset)
        {
            return Errno.ENOENT;
        }

        var fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        Span<byte> address = stackalloc byte[AddressBytes];
        address.Clear();
        MemoryMarshal.Write(address, (ushort)AF_UNIX);
        Encoding.UTF8.GetBytes(path, address[PathOffset..]);
        fixed (byte* start = address)
        {
            return connect(fd, start, PathOffset + bytes + 1) == 0 ? 0 : Marshal.GetLastPInvokeError();
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(int sockfd, byte* addr, int addrlen);
}
