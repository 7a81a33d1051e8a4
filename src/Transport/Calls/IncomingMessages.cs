// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Binary;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>
/// Cuts a stream of bytes into messages. A message that lies whole in one piece is shown where it is; one that spans
/// pieces is put together in a rented buffer, which is taken only after its prefix was checked. Used by one thread.
/// </summary>
internal struct IncomingMessages
{
    private uint _prefixLow;
    private byte _prefixFlag;
    private int _prefixFill;
    private byte[]? _assembly;
    private int _length;
    private int _filled;

    /// <summary>Nothing of an unfinished message is held.</summary>
    public readonly bool IsBetweenMessages => _prefixFill == 0;

    /// <summary>
    /// Takes bytes from the piece. True: a message is whole, and <paramref name="message"/> shows it until the next
    /// call. False: the piece is used up. An error is told as a status that is not OK.
    /// </summary>
    public bool TryTake(
        ref ArraySegment<byte> piece, int bytesMax, string? encoding, out ArraySegment<byte> message, out Status error)
    {
        error = default;
        message = default;
        if (_prefixFill < MessageWriter.PrefixBytes && !TakePrefix(ref piece, bytesMax, encoding, out error))
        {
            return false;
        }

        if (_assembly is null && piece.Count >= _length)
        {
            message = piece[.._length];
            piece = piece[_length..];
            _prefixFill = 0;
            return true;
        }

        _assembly ??= ArrayPool<byte>.Shared.Rent(_length);
        var count = Math.Min(_length - _filled, piece.Count);
        piece.AsSpan(0, count).CopyTo(_assembly.AsSpan(_filled));
        _filled += count;
        piece = piece[count..];
        if (_filled < _length)
        {
            return false;
        }

        message = new ArraySegment<byte>(_assembly, 0, _length);
        _prefixFill = 0;
        return true;
    }

    /// <summary>Gives the buffer of an assembled message back, after the message was read or given up.</summary>
    public void Release()
    {
        if (_assembly is { } buffer)
        {
            ArrayPool<byte>.Shared.Return(buffer);
            _assembly = null;
        }

        _filled = 0;
    }

    private static Status Check(byte flag, uint length, int bytesMax, string? encoding)
    {
        // The coding was never offered by us, so also one that we know by name is the server's error.
        if (flag != 0)
        {
            return new Status(StatusCode.Internal, flag != 1
                ? $"A message has the unknown flag {flag}."
                : encoding is null
                    ? "A message is compressed, but the response names no coding."
                    : $"A message is compressed with '{encoding}', which this client did not offer.");
        }

        return length > (uint)bytesMax
            ? new Status(
                StatusCode.ResourceExhausted, $"A message of {length} bytes came; at most {bytesMax} are taken.")
            : default;
    }

    private bool TakePrefix(ref ArraySegment<byte> piece, int bytesMax, string? encoding, out Status error)
    {
        error = default;
        if (_prefixFill == 0 && piece.Count >= MessageWriter.PrefixBytes)
        {
            _prefixFlag = piece[0];
            _prefixLow = BinaryPrimitives.ReadUInt32BigEndian(piece.AsSpan(1));
            _prefixFill = MessageWriter.PrefixBytes;
            piece = piece[MessageWriter.PrefixBytes..];
        }

        while (_prefixFill < MessageWriter.PrefixBytes)
        {
            if (piece.Count == 0)
            {
                return false;
            }

            if (_prefixFill++ == 0)
            {
                _prefixFlag = piece[0];
            }
            else
            {
                _prefixLow = (_prefixLow << 8) | piece[0];
            }

            piece = piece[1..];
        }

        error = Check(_prefixFlag, _prefixLow, bytesMax, encoding);
        if (error.StatusCode != StatusCode.OK)
        {
            return false;
        }

        _length = (int)_prefixLow;
        return true;
    }
}
