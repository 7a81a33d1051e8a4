// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Core;

namespace Muster.Journal;

/// <summary>
/// Records in memory, laid out as they will be on the disk but for what only the writer knows (position, check). There
/// are two: one fills under the journal's gate while the committing thread writes the other. Grows to its largest
/// content and stays there, so that appending allocates nothing in the long run.
/// </summary>
internal sealed class AppendBuffer
{
    private const int FirstBytes = 64 * 1024;

    private byte[] _bytes = new byte[FirstBytes];

    /// <summary>End of the last record in it.</summary>
    public int Length { get; private set; }

    /// <summary>Start of the first record that is not written yet.</summary>
    public int Offset { get; private set; }

    public bool IsDrained => Offset == Length;

    /// <summary>Adds a record, unsealed.</summary>
    public void Add(ushort kind, ReadOnlySpan<byte> body, ulong sequence)
    {
        var bytes = JournalFormat.RecordBytes(body.Length);
        Grow(Length + bytes);
        var record = _bytes.AsSpan(Length, bytes);
        RecordHeader.Begin(record, kind, body.Length, sequence);
        body.CopyTo(record[JournalFormat.RecordHeaderBytes..]);
        record[(JournalFormat.RecordHeaderBytes + body.Length)..].Clear();
        Length += bytes;
    }

    /// <summary>The record at an offset, with its padding.</summary>
    public Span<byte> RecordAt(int offset, out RecordHeader header)
    {
        header = RecordHeader.Read(_bytes.AsSpan(offset));
        return _bytes.AsSpan(offset, JournalFormat.RecordBytes((int)header.BodyBytes));
    }

    public ReadOnlySpan<byte> Span(int offset, int bytes) => _bytes.AsSpan(offset, bytes);

    /// <summary>What was written needs not be kept.</summary>
    public void Advance(int bytes)
    {
        Offset += bytes;
        Invariant.That(Offset <= Length);
        if (IsDrained)
        {
            Offset = 0;
            Length = 0;
        }
    }

    private void Grow(int needed)
    {
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, (int)BitOperations.RoundUpToPowerOf2((uint)needed));
        }
    }
}
