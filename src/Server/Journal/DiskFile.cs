// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Win32.SafeHandles;
using Muster.Arena.Native;
using Muster.Journal;

namespace Muster.Server.Journal;

/// <summary>A file of the journal on a real disk. Every call is one system call whose result is looked at.</summary>
internal sealed class DiskFile(SafeFileHandle file) : IJournalFile
{
    public int Length(out long bytes)
    {
        var isOpen = Statx.TryOf(file, out var facts);
        bytes = facts.Bytes;
        return isOpen ? 0 : JournalErrno.EIO;
    }

    public int Read(long offset, Span<byte> into, out int read) => Pread.At(file, offset, into, out read);

    public int Write(long offset, ReadOnlySpan<byte> bytes, out int written) =>
        Pwrite.At(file, offset, bytes, out written);

    public int Allocate(long bytes) => Fallocate.Reserve(file, bytes);

    public int Sync() => Fdatasync.Flush(file);

    public void Dispose() => file.Dispose();
}
