// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Unit.Http2;

/// <summary>A connection whose peer says what it was given, whole or in random pieces, and then closes.</summary>
internal sealed class FuzzStream(byte[] input, Random? pieces) : Stream
{
    private readonly MemoryStream _written = new();
    private readonly object _gate = new();
    private int _at;

    public byte[] Written
    {
        get
        {
            lock (_gate)
            {
                return _written.ToArray();
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (pieces is not null && pieces.Next(8) == 0)
        {
            await Task.Yield();
        }

        var count = Math.Min(buffer.Length, input.Length - _at);
        if (pieces is not null && count > 0)
        {
            count = pieces.Next(1, Math.Min(count, 40) + 1);
        }

        input.AsMemory(_at, count).CopyTo(buffer);
        _at += count;
        return count;
    }

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            _written.Write(buffer.Span);
        }

        return default;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
