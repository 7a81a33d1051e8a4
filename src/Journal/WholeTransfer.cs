// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Journal;

/// <summary>Goes on after interrupted, short and partial reads and writes.</summary>
internal static class WholeTransfer
{
    private static readonly byte[] s_zeros = new byte[256 * 1024];

    /// <summary>Reads until the span is full or the file ends.</summary>
    public static int Read(IJournalFile file, long offset, Span<byte> into, out int read)
    {
        read = 0;
        while (read < into.Length)
        {
            var errno = file.Read(offset + read, into[read..], out var count);
            if (errno != 0 && errno != JournalErrno.EINTR)
            {
                return errno;
            }

            if (errno == 0 && count == 0)
            {
                return 0;
            }

            read += count;
        }

        return 0;
    }

    /// <summary>Writes everything or says why not.</summary>
    public static int Write(IJournalFile file, long offset, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var errno = file.Write(offset, bytes, out var count);
            if (errno != 0 && errno != JournalErrno.EINTR)
            {
                return errno;
            }

            if (errno == 0 && count == 0)
            {
                // A file that takes nothing and gives no reason would keep us here for ever.
                return JournalErrno.EIO;
            }

            offset += count;
            bytes = bytes[count..];
        }

        return 0;
    }

    public static int WriteZeros(IJournalFile file, long offset, long count)
    {
        while (count > 0)
        {
            var part = (int)Math.Min(count, s_zeros.Length);
            var errno = Write(file, offset, s_zeros.AsSpan(0, part));
            if (errno != 0)
            {
                return errno;
            }

            offset += part;
            count -= part;
        }

        return 0;
    }

    /// <summary>fdatasync may be interrupted before it began; any other failure means that data may be gone.</summary>
    public static int Sync(IJournalFile file)
    {
        int errno;
        do
        {
            errno = file.Sync();
        }
        while (errno == JournalErrno.EINTR);
        return errno;
    }
}
