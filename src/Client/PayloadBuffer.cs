// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using Muster.Transport.Wire;

namespace Muster.Client;

/// <summary>
/// Turns an input into the bytes of a payload. The growing buffer is kept per thread, unless a large value made it
/// large; an input whose writer submits another task inside finds the place empty and makes its own.
/// </summary>
internal static class PayloadBuffer
{
    private const int KeptBytesMax = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? t_buffer;

    [ThreadStatic]
    private static ByteChunks? t_chunks;

    public static ReadOnlyMemory<byte> Write<TIn, TOut>(TaskType<TIn, TOut> type, TIn input)
    {
        var buffer = t_buffer ?? new ArrayBufferWriter<byte>(256);
        t_buffer = null;
        buffer.ResetWrittenCount();
        type.WriteInput(input, buffer);
        var payload = (t_chunks ??= new()).Copy(buffer.WrittenSpan);
        if (buffer.Capacity <= KeptBytesMax)
        {
            t_buffer = buffer;
        }

        return payload;
    }
}
