// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// sendmsg(2) and recvmsg(2) with one descriptor beside the bytes (SCM_RIGHTS), and who is at the other end of a Unix
/// socket (SO_PEERCRED). For 64-bit Linux, whose structures these are.
/// </summary>
internal static unsafe partial class SocketMessage
{
    private const int SOL_SOCKET = 1;
    private const int SCM_RIGHTS = 1;
    private const int SO_PEERCRED = 17;
    private const int MSG_CTRUNC = 8;
    private const int MSG_NOSIGNAL = 0x4000;
    private const int MSG_CMSG_CLOEXEC = 0x40000000;

    // A header of 16 bytes, one descriptor, and padding to 8.
    private const int ControlBytes = 24;
    private const int ControlLength = 20;
    private const int UcredBytes = 12;

    /// <summary>Sends the bytes and a copy of the descriptor, when there is one, in one message.</summary>
    /// <returns>Whether all went out.</returns>
    public static bool TrySend(SafeSocketHandle socket, ReadOnlySpan<byte> bytes, SafeFileHandle? file)
    {
        var control = stackalloc long[ControlBytes / sizeof(long)];
        fixed (byte* place = bytes)
        {
            var part = new IoVector { Base = place, Length = (nuint)bytes.Length };
            var message = new MessageHeader { Vectors = &part, VectorCount = 1 };
            if (file is not null)
            {
                var head = (ControlHeader*)control;
                *head = new() { Length = ControlLength, Level = SOL_SOCKET, Type = SCM_RIGHTS };
                *(int*)(head + 1) = (int)file.DangerousGetHandle();
                message.Control = control;
                message.ControlLength = ControlBytes;
            }

            var sent = sendmsg(socket, &message, MSG_NOSIGNAL);
            GC.KeepAlive(file);
            return sent == bytes.Length;
        }
    }

    /// <summary>Receives one message and the descriptor that came with it.</summary>
    /// <returns>Bytes received, 0 at the end, or the negative errno.</returns>
    public static int Receive(SafeSocketHandle socket, Span<byte> bytes, out SafeFileHandle? file)
    {
        file = null;
        var control = stackalloc long[ControlBytes / sizeof(long)];
        fixed (byte* place = bytes)
        {
            var part = new IoVector { Base = place, Length = (nuint)bytes.Length };
            var message = new MessageHeader
            {
                // Without the padding, in which a second descriptor would find room and stay open unseen.
                Vectors = &part, VectorCount = 1, Control = control, ControlLength = ControlLength,
            };
            var received = (int)recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
            if (received < 0)
            {
                return -Marshal.GetLastPInvokeError();
            }

            var head = (ControlHeader*)control;
            if (message.ControlLength >= ControlLength
                && head->Level == SOL_SOCKET
                && head->Type == SCM_RIGHTS
                && head->Length == ControlLength)
            {
                file = new SafeFileHandle(*(int*)(head + 1), ownsHandle: true);
                if ((message.Flags & MSG_CTRUNC) != 0)
                {
                    file.Dispose();
                    file = null;
                }
            }

            return received;
        }
    }

    /// <summary>Whether the process at the other end runs as this user.</summary>
    public static bool IsPeerOwn(Socket socket) => PeerUser(socket) == User.Id;

    /// <summary>The user as whom the process at the other end connected; null: nobody is there any more.</summary>
    public static uint? PeerUser(Socket socket)
    {
        Span<byte> credentials = stackalloc byte[UcredBytes];
        try
        {
            return socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, credentials) == UcredBytes
                ? MemoryMarshal.Read<uint>(credentials[sizeof(int)..])
                : null;
        }
        catch (Exception gone) when (gone is SocketException or ObjectDisposedException)
        {
            return null;
        }
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint sendmsg(SafeSocketHandle sockfd, MessageHeader* msg, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recvmsg(SafeSocketHandle sockfd, MessageHeader* msg, int flags);

    [StructLayout(LayoutKind.Sequential)]
    private struct IoVector
    {
        public byte* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct MessageHeader
    {
        public void* Name;
        public uint NameLength;
        public IoVector* Vectors;
        public nuint VectorCount;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ControlHeader
    {
        public nuint Length;
        public int Level;
        public int Type;
    }
}
