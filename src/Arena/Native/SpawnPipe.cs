// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Muster.Arena.Native;

/// <summary>
/// pipe2(2), fcntl(2), read(2), write(2) for the standard streams of a started program. Every descriptor closes on
/// exec and is above 2, whatever the host process did with its own standard streams.
/// </summary>
internal static unsafe partial class SpawnPipe
{
    public const int EAGAIN = 11;
    public const int EINTR = 4;
    public const int EPIPE = 32;

    private const int O_CLOEXEC = 0x80000;
    private const int O_NONBLOCK = 0x800;
    private const int F_SETFL = 4;
    private const int F_DUPFD_CLOEXEC = 1030;
    private const int FirstFree = 3;

    /// <summary>Makes a pipe of which this process keeps one end; that end never blocks.</summary>
    /// <param name="keepRead">Whether the read end is kept; otherwise the write end.</param>
    /// <param name="kept">This process's end.</param>
    /// <param name="given">The program's end.</param>
    /// <returns>0 or errno.</returns>
    public static int Create(bool keepRead, out SafeFileHandle? kept, out SafeFileHandle? given)
    {
        kept = null;
        given = null;
        var ends = stackalloc int[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        var read = new SafeFileHandle(ends[0], ownsHandle: true);
        var write = new SafeFileHandle(ends[1], ownsHandle: true);
        var error = Raise(ref read);
        error = error != 0 ? error : Raise(ref write);
        var mine = keepRead ? read : write;
        if (error == 0 && fcntl((int)mine.DangerousGetHandle(), F_SETFL, O_NONBLOCK) < 0)
        {
            error = Marshal.GetLastPInvokeError();
        }

        if (error != 0)
        {
            read.Dispose();
            write.Dispose();
            return error;
        }

        kept = mine;
        given = keepRead ? write : read;
        return 0;
    }

    /// <summary>/dev/null, above 2.</summary>
    /// <exception cref="IOException">There is no descriptor left.</exception>
    public static SafeFileHandle OpenNothing()
    {
        // Above 2, so that giving it to a child as its descriptor 0 overwrites nothing that is still needed.
        using var file = File.OpenHandle("/dev/null", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        return Duplicate(file) ?? throw new IOException("no file descriptor is left for /dev/null");
    }

    /// <summary>
    /// A second descriptor of the same open file, above 2 and closed on exec; null when there is none left.
    /// </summary>
    public static SafeFileHandle? Duplicate(SafeFileHandle file)
    {
        var copy = fcntl((int)file.DangerousGetHandle(), F_DUPFD_CLOEXEC, FirstFree);
        GC.KeepAlive(file);
        return copy < 0 ? null : new SafeFileHandle(copy, ownsHandle: true);
    }

    /// <summary>Reads what is there.</summary>
    /// <returns>Bytes read, 0 at the end, or the negative errno.</returns>
    public static int Read(SafeFileHandle file, Span<byte> buffer)
    {
        fixed (byte* place = buffer)
        {
            while (true)
            {
                var count = (int)read(file, place, (nuint)buffer.Length);
                if (count >= 0)
                {
                    return count;
                }

                var error = Marshal.GetLastPInvokeError();
                if (error != EINTR)
                {
                    return -error;
                }
            }
        }
    }

    /// <summary>Writes what fits.</summary>
    /// <returns>Bytes written, or the negative errno.</returns>
    public static int Write(SafeFileHandle file, ReadOnlySpan<byte> bytes)
    {
        fixed (byte* place = bytes)
        {
            while (true)
            {
                var count = (int)write(file, place, (nuint)bytes.Length);
                if (count >= 0)
                {
                    return count;
                }

                var error = Marshal.GetLastPInvokeError();
                if (error != EINTR)
                {
                    return -error;
                }
            }
        }
    }

    private static int Raise(ref SafeFileHandle file)
    {
        if ((int)file.DangerousGetHandle() >= FirstFree)
        {
            return 0;
        }

        var higher = Duplicate(file);
        var error = higher is null ? Marshal.GetLastPInvokeError() : 0;
        file.Dispose();
        file = higher ?? file;
        return error;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int pipe2(int* pipefd, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int fcntl(int fd, int cmd, int arg);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint read(SafeFileHandle fd, byte* buf, nuint count);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(SafeFileHandle fd, byte* buf, nuint count);
}
