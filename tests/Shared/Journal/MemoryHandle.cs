// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Journal;

namespace Muster.Shared.Journal;

/// <summary>An open file of a <see cref="MemoryDisk"/>.</summary>
internal sealed class MemoryHandle(MemoryDisk disk, string name, MemoryFile file) : IJournalFile
{
    private readonly int _life = disk.Life;

    public int Length(out long bytes)
    {
        bytes = file.Length;
        return Dead();
    }

    public int Read(long offset, Span<byte> into, out int read)
    {
        read = 0;
        var errno = Before(DiskCall.Read);
        if (errno == 0)
        {
            read = file.Read(offset, into[..Part(DiskCall.Read, into.Length)]);
        }

        return errno;
    }

    public int Write(long offset, ReadOnlySpan<byte> bytes, out int written)
    {
        written = 0;
        var errno = Before(DiskCall.Write);
        if (errno != 0)
        {
            return errno;
        }

        written = Part(DiskCall.Write, bytes.Length);
        file.Write(disk.Misdirecting?.Invoke(name, offset) ?? offset, bytes[..written]);
        return 0;
    }

    public int Allocate(long bytes)
    {
        var errno = Before(DiskCall.Allocate);
        if (errno != 0 || bytes <= file.Length)
        {
            return errno;
        }

        if (!disk.HasRoom(bytes - file.Length))
        {
            return JournalErrno.ENOSPC;
        }

        file.Resize(bytes);
        return 0;
    }

    public int Sync()
    {
        var errno = Before(DiskCall.Sync);
        if (errno == 0)
        {
            file.Sync();
        }
        else if (errno != JournalErrno.EINTR)
        {
            file.ForgetUnsynced();
        }

        return errno;
    }

    public void Dispose()
    {
    }

    private int Dead() => disk.Life == _life ? 0 : JournalErrno.EIO;

    private int Before(DiskCall call)
    {
        var errno = Dead();
        return errno != 0 ? errno : disk.Ask(call, name);
    }

    private int Part(DiskCall call, int bytes) =>
        Math.Clamp(disk.Shortening?.Invoke(call, bytes) ?? bytes, Math.Min(1, bytes), bytes);
}
