// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Text;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Protocol;

namespace Muster.Transport.Http2;

/// <summary>
/// What one block of response headers or trailers says. One object per connection, filled anew for each block by the
/// receive loop; whoever keeps a part takes it out.
/// </summary>
internal sealed class ResponseHead(int bytesMax) : IHeaderSink
{
    private readonly List<byte[]> _values = [];
    private int _bytes;

    /// <summary>The HTTP status; 0 when the block has none, as trailers.</summary>
    public int HttpStatus { get; private set; }

    /// <summary>The number in grpc-status; -1 when there is none, 2 (unknown) when it is no number.</summary>
    public int GrpcStatus { get; private set; }

    public string Message { get; private set; } = "";

    /// <summary>Null when the block has no content-type.</summary>
    public bool? IsGrpcContent { get; private set; }

    /// <summary>The coding of compressed messages; null when it is absent or identity.</summary>
    public string? Encoding { get; private set; }

    /// <summary>Everything that is not the protocol's own; null when there is nothing.</summary>
    public Metadata? Metadata { get; private set; }

    /// <summary>The block was larger than allowed, and what came too late was dropped.</summary>
    public bool TooLarge => _bytes > bytesMax;

    public void Clear()
    {
        _bytes = 0;
        HttpStatus = 0;
        GrpcStatus = -1;
        Message = "";
        IsGrpcContent = null;
        Encoding = null;
        Metadata = null;
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field)
    {
        _bytes += name.Length + value.Length + HeaderField.Overhead;
        if (TooLarge)
        {
            return;
        }

        if (name[0] == ':')
        {
            if (name.SequenceEqual(":status"u8))
            {
                HttpStatus = ParseNumber(value, 0);
            }
        }
        else if (!TakeOwn(name, value))
        {
            AddMetadata(name, value, field);
        }
    }

    private static int ParseNumber(ReadOnlySpan<byte> text, int otherwise) =>
        Utf8Parser.TryParse(text, out int number, out var used) && used == text.Length && number >= 0
            ? number
            : otherwise;

    private bool TakeOwn(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("grpc-status"u8))
        {
            GrpcStatus = ParseNumber(value, (int)StatusCode.Unknown);
        }
        else if (name.SequenceEqual("grpc-message"u8))
        {
            Message = PercentCoding.Decode(value);
        }
        else if (name.SequenceEqual("content-type"u8))
        {
            var prefix = "application/grpc"u8;
            IsGrpcContent = value.StartsWith(prefix)
                && (value.Length == prefix.Length || value[prefix.Length] is (byte)'+' or (byte)';');
        }
        else if (name.SequenceEqual("grpc-encoding"u8))
        {
            Encoding = value.SequenceEqual("identity"u8) ? null : System.Text.Encoding.ASCII.GetString(value);
        }
        else
        {
            return name.SequenceEqual("grpc-accept-encoding"u8);
        }

        return true;
    }

    private void AddMetadata(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field)
    {
        var metadata = Metadata;
        HeaderMetadata.Add(ref metadata, name, value, field, _values);
        Metadata = metadata;
    }
}
