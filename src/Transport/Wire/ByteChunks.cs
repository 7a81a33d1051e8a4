// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Wire;

/// <summary>
/// Memory for payloads and outputs: small ones share arrays, because they come many at a time and leave together. One
/// that is kept keeps its array, so at most <see cref="ChunkBytes"/> that are not its own. Belongs to one thread at a
/// time.
/// </summary>
internal sealed class ByteChunks
{
    private const int ChunkBytes = 8 * 1024;
    private const int SharedBytesMax = 512;

    private byte[] _chunk = [];
    private int _used;

    /// <summary>A copy that never changes.</summary>
    public ReadOnlyMemory<byte> Copy(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > SharedBytesMax)
        {
            return bytes.ToArray();
        }

        if (bytes.Length > _chunk.Length - _used)
        {
            _chunk = GC.AllocateUninitializedArray<byte>(ChunkBytes);
            _used = 0;
        }

        var copy = new Memory<byte>(_chunk, _used, bytes.Length);
        bytes.CopyTo(copy.Span);
        _used += bytes.Length;
        return copy;
    }
}
