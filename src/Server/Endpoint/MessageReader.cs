// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using System.IO;
using System.IO.Pipelines;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// Cuts the request body into messages, straight in the pipe's segments: one read of the pipe serves every message that
/// it brought. A message beyond the limit is refused by its 5-byte prefix, before any of its bytes are waited for.
/// Owned by one call; one reader at a time. A payload is valid until the next
/// <see cref="ReadAsync"/>.
/// </summary>
internal sealed class MessageReader(PipeReader pipe, int messageBytesMax)
{
    private const int PrefixBytes = 5;

    private ReadOnlySequence<byte> _buffer;
    private bool _holding;
    private bool _ended;

    /// <summary>Takes the next message that has already arrived whole.</summary>
    public bool TryTake(out ReadOnlySequence<byte> payload)
    {
        payload = default;
        if (_buffer.Length < PrefixBytes)
        {
            return false;
        }

        var length = ReadPrefix();
        if (_buffer.Length < PrefixBytes + length)
        {
            return false;
        }

        payload = _buffer.Slice(PrefixBytes, length);
        _buffer = _buffer.Slice(payload.End);
        return true;
    }

    /// <summary>True when the peer half-closed and every message was taken. Throws when it stopped inside
    /// one.</summary>
    public bool IsAtEnd()
    {
        if (!_ended)
        {
            return false;
        }

        return _buffer.Length == 0
            ? true
            : throw new RpcException(new Status(StatusCode.Internal, "The request ended inside a message."));
    }

    /// <summary>Gives back what was taken and waits until more has arrived; hand the result to <see
    /// cref="Accept"/>.</summary>
    public ValueTask<ReadResult> ReadAsync()
    {
        if (_holding)
        {
            // Everything seen counts as examined, so the peer's window opens even when a message is still incomplete.
            pipe.AdvanceTo(_buffer.Start, _buffer.End);
            _holding = false;
            _buffer = default;
        }

        return pipe.ReadAsync();
    }

    public void Accept(in ReadResult result)
    {
        _buffer = result.Buffer;
        _holding = true;
        _ended = result.IsCompleted;
    }

    /// <summary>Makes a read that waits, or the next one, return at once. Any thread.</summary>
    public void Wake()
    {
        try
        {
            pipe.CancelPendingRead();
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Kestrel has aborted the request; whoever reads has been woken by that.
        }
    }

    private long ReadPrefix()
    {
        var prefix = _buffer.FirstSpan;
        if (prefix.Length >= PrefixBytes)
        {
            return CheckPrefix(prefix);
        }

        Span<byte> copy = stackalloc byte[PrefixBytes];
        _buffer.Slice(0, PrefixBytes).CopyTo(copy);
        return CheckPrefix(copy);
    }

    private long CheckPrefix(ReadOnlySpan<byte> prefix)
    {
        if (prefix[0] != 0)
        {
            throw new RpcException(new Status(
                StatusCode.Unimplemented, "Compressed messages are not supported; send with grpc-encoding identity."));
        }

        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > (uint)messageBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"A message of {length} bytes is over the limit of {messageBytesMax}."));
        }

        return length;
    }
}
