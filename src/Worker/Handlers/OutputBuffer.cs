// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Worker.Handlers;

/// <summary>
/// Takes the bytes of one output. One is kept per thread; an output that another serializer writes inside gets a buffer
/// of its own. Throws <see cref="OutputTooLargeException"/> as soon as the limit is passed, so that a giant output
/// costs no giant memory.
/// </summary>
internal sealed class OutputBuffer : IBufferWriter<byte>
{
    private const int KeptBytesMax = 256 * 1024;
    private const int FirstBytes = 1_024;

    [ThreadStatic]
    private static OutputBuffer? t_kept;

    private readonly ByteChunks _chunks = new();
    private byte[] _buffer = new byte[FirstBytes];
    private int _length;

    /// <summary>Writes an output and returns its bytes.</summary>
    public static ReadOnlyMemory<byte> Write<TIn, TOut>(TaskType<TIn, TOut> type, TOut value)
    {
        var buffer = t_kept ?? new OutputBuffer();
        t_kept = null;
        buffer._length = 0;
        type.WriteOutput(value, buffer);
        var bytes = buffer._chunks.Copy(buffer._buffer.AsSpan(0, buffer._length));
        if (buffer._buffer.Length <= KeptBytesMax)
        {
            t_kept = buffer;
        }

        return bytes;
    }

    public void Advance(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _buffer.Length - _length);
        if (_length + count > TaskLimits.OutputBytesMax)
        {
            throw new OutputTooLargeException();
        }

        _length += count;
    }

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsMemory(_length);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return _buffer.AsSpan(_length);
    }

    private void Reserve(int sizeHint)
    {
        var needed = Math.Max(sizeHint, 1);
        if (needed <= _buffer.Length - _length)
        {
            return;
        }

        // A serializer may ask for more room than it will fill; a piece beyond any limit is refused before it costs.
        if (needed > 2 * TaskLimits.MessageBytesMax)
        {
            throw new OutputTooLargeException();
        }

        Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + needed));
    }
}
