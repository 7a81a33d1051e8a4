// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Journal;

/// <summary>
/// A file of the journal. Failing is expected: every call gives 0 or an errno and throws nothing. Short reads and
/// writes and EINTR are legal; the caller goes on. One thread at a time, but for reads.
/// </summary>
internal interface IJournalFile : IDisposable
{
    int Length(out long bytes);

    /// <summary>Reads from an offset; <paramref name="read"/> is 0 only at the end of the file.</summary>
    int Read(long offset, Span<byte> into, out int read);

    /// <summary>Writes at an offset, possibly less than all.</summary>
    int Write(long offset, ReadOnlySpan<byte> bytes, out int written);

    /// <summary>Makes the file at least this long with room reserved on the disk; ENOSPC when there is none.</summary>
    int Allocate(long bytes);

    /// <summary>Makes everything written so far, and the length, survive a power loss (fdatasync).</summary>
    int Sync();
}
