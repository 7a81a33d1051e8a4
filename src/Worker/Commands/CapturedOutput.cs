// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;

namespace Muster.Worker.Commands;

/// <summary>
/// What a command wrote to one of its outputs, up to a limit; the rest is counted as cut and dropped. Owned by the
/// reactor thread; its memory goes back to the pool with <see cref="Dispose"/>.
/// </summary>
internal sealed class CapturedOutput(int bytesMax) : IDisposable
{
    private const int FirstBytes = 1_024;

    private byte[] _buffer = [];
    private int _length;

    public ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Whether something was dropped.</summary>
    public bool IsCut { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var room = bytesMax - _length;
        if (bytes.Length > room)
        {
            IsCut = true;
            bytes = bytes[..room];
        }

        if (bytes.Length > _buffer.Length - _length)
        {
            Grow(_length + bytes.Length);
        }

        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
            _length = 0;
        }
    }

    private void Grow(int needed)
    {
        var size = Math.Max(Math.Max(needed, FirstBytes), Math.Min(bytesMax, _buffer.Length * 2));
        var larger = ArrayPool<byte>.Shared.Rent(size);
        Bytes.CopyTo(larger);
        if (_buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
