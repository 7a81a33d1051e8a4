// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Text;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Muster.Transport.Protocol;

namespace Muster.Server.Http2;

/// <summary>
/// What one block of request headers or trailers says, with the checks of RFC 9113 section 8. One object per
/// connection, filled anew for each block by the receive loop; whoever keeps a part takes it out. A block that is
/// malformed is still read to its end, since the header table lives on; memory is bounded by dropping what comes after
/// the limits.
/// </summary>
internal sealed class RequestHead : IHeaderSink
{
    private const int PathCharsMax = 256;
    private const int EncodingCharsMax = 32;
    private const int TimeoutCharsMax = 16;
    private const int AuthorizationCharsMax = 256;

    private static readonly SearchValues<byte> s_name =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"u8);

    private static readonly SearchValues<byte> s_notInValue = SearchValues.Create([0, (byte)'\r', (byte)'\n']);

    private readonly List<byte[]> _values = [];
    private readonly char[] _path = new char[PathCharsMax];
    private int _pathLength;
    private Pseudo _seen;
    private bool _isTrailers;
    private bool _sawRegular;
    private bool _hasTimeout;
    private int _bytes;
    private int _count;

    [Flags]
    private enum Pseudo
    {
        None = 0,
        Method = 1,
        Scheme = 2,
        Path = 4,
        Authority = 8,
        Needed = Method | Scheme | Path,
    }

    /// <summary>Why the block breaks the protocol; null: it does not.</summary>
    public string? Malformed { get; private set; }

    /// <summary>More headers, or larger ones, than are taken.</summary>
    public bool IsTooLarge => _bytes > ServerLimits.HeaderBytesMax || _count > ServerLimits.HeaderCountMax;

    public bool IsPost { get; private set; }

    /// <summary>The path; empty when it is longer than that of any method.</summary>
    public ReadOnlySpan<char> Path => _path.AsSpan(0, _pathLength);

    public string Authority { get; private set; } = "";

    /// <summary>The content is gRPC's: application/grpc, or that with + or ; behind it.</summary>
    public bool IsGrpcContent { get; private set; }

    /// <summary>The coding of compressed messages; null when it is absent or identity.</summary>
    public string? Encoding { get; private set; }

    /// <summary>The text of grpc-timeout; null: there is none.</summary>
    public string? Timeout { get; private set; }

    /// <summary>-1: not said.</summary>
    public long ContentLength { get; private set; }

    /// <summary>The credential that the call shows, which is nobody's metadata; null: none.</summary>
    public string? Authorization { get; private set; }

    /// <summary>Everything that is not the protocol's own; null when there is nothing.</summary>
    public Metadata? Metadata { get; private set; }

    /// <summary>Size of the metadata as HTTP/2 counts it.</summary>
    public int MetadataBytes { get; private set; }

    /// <summary>A binary header that is not base64; null: none.</summary>
    public string? DamagedBinary { get; private set; }

    public void Clear(bool isTrailers)
    {
        _isTrailers = isTrailers;
        _seen = Pseudo.None;
        _sawRegular = false;
        _hasTimeout = false;
        _bytes = 0;
        _count = 0;
        _pathLength = 0;
        Malformed = null;
        IsPost = false;
        Authority = "";
        IsGrpcContent = false;
        Encoding = null;
        Timeout = null;
        Authorization = null;
        ContentLength = -1;
        Metadata = null;
        MetadataBytes = 0;
        DamagedBinary = null;
    }

    /// <summary>Checks the block as a whole, after its last header.</summary>
    public void Finish()
    {
        if (!_isTrailers && (_seen & Pseudo.Needed) != Pseudo.Needed)
        {
            Malformed ??= "a request without method, scheme or path";
        }
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field)
    {
        _bytes += name.Length + value.Length + HeaderField.Overhead;
        _count++;
        if (_bytes > ServerLimits.HeaderBombBytes)
        {
            throw new Http2Exception(Http2ErrorCode.EnhanceYourCalm, "a header block decodes to too much");
        }

        if (Malformed is not null)
        {
            return;
        }

        if (name[0] == ':')
        {
            TakePseudo(name, value, field);
            return;
        }

        _sawRegular = true;
        if (!IsValid(name, value))
        {
            Malformed = "a header whose name or value HTTP/2 does not allow";
        }
        else if (!_isTrailers && !IsTooLarge && !TakeOwn(name, value))
        {
            MetadataBytes += name.Length + value.Length + HeaderField.Overhead;
            AddMetadata(name, value, field);
        }
    }

    private static bool IsValid(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.ContainsAnyExcept(s_name) || value.ContainsAny(s_notInValue))
        {
            return false;
        }

        if (!value.IsEmpty && (value[0] is (byte)' ' or (byte)'\t' || value[^1] is (byte)' ' or (byte)'\t'))
        {
            return false;
        }

        return name.Length switch
        {
            2 => !name.SequenceEqual("te"u8) || value.SequenceEqual("trailers"u8),
            7 => !name.SequenceEqual("upgrade"u8),
            10 => !name.SequenceEqual("connection"u8) && !name.SequenceEqual("keep-alive"u8),
            16 => !name.SequenceEqual("proxy-connection"u8),
            17 => !name.SequenceEqual("transfer-encoding"u8),
            _ => true,
        };
    }

    private static bool IsGrpc(ReadOnlySpan<byte> value)
    {
        var prefix = "application/grpc"u8;
        return value.Length >= prefix.Length
            && Ascii.EqualsIgnoreCase(value[..prefix.Length], prefix)
            && (value.Length == prefix.Length || value[prefix.Length] is (byte)'+' or (byte)';');
    }

    private void TakePseudo(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field)
    {
        var which = name switch
        {
            _ when name.SequenceEqual(":method"u8) => Pseudo.Method,
            _ when name.SequenceEqual(":scheme"u8) => Pseudo.Scheme,
            _ when name.SequenceEqual(":path"u8) => Pseudo.Path,
            _ when name.SequenceEqual(":authority"u8) => Pseudo.Authority,
            _ => Pseudo.None,
        };
        if (_isTrailers || _sawRegular || which == Pseudo.None || (_seen & which) != 0
            || value.ContainsAny(s_notInValue))
        {
            Malformed = "a pseudo header that is unknown, repeated or out of place";
            return;
        }

        _seen |= which;
        switch (which)
        {
            case Pseudo.Method:
                IsPost = value.SequenceEqual("POST"u8);
                break;
            case Pseudo.Path when value.IsEmpty || (value[0] != '/' && !value.SequenceEqual("*"u8)):
                Malformed = "a path that does not begin with a slash";
                break;
            case Pseudo.Path:
                _pathLength = value.Length <= PathCharsMax
                    ? System.Text.Encoding.Latin1.GetChars(value, _path)
                    : 0;
                break;
            case Pseudo.Authority:
                Authority = TextOf(value, field);
                break;
        }
    }

    private bool TakeOwn(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (name.SequenceEqual("content-type"u8))
        {
            IsGrpcContent = IsGrpc(value);
        }
        else if (name.SequenceEqual("content-length"u8))
        {
            TakeContentLength(value);
        }
        else if (name.StartsWith("grpc-"u8))
        {
            // Names with this beginning are the protocol's, those that it does not know yet as well.
            TakeGrpc(name["grpc-"u8.Length..], value);
        }
        else if (name.SequenceEqual("authorization"u8))
        {
            // One that is too long is no credential of ours, and kept as one that is none.
            Authorization = value.Length <= AuthorizationCharsMax
                ? System.Text.Encoding.Latin1.GetString(value)
                : "";
        }
        else if (name.SequenceEqual("host"u8))
        {
            Authority = Authority.Length > 0 ? Authority : TextOf(value, null);
        }
        else
        {
            return name.SequenceEqual("te"u8);
        }

        return true;
    }

    private void TakeGrpc(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> value)
    {
        if (rest.SequenceEqual("timeout"u8) && !_hasTimeout)
        {
            _hasTimeout = true;
            Timeout = value.Length <= TimeoutCharsMax ? System.Text.Encoding.Latin1.GetString(value) : "";
        }
        else if (rest.SequenceEqual("encoding"u8) && !value.SequenceEqual("identity"u8))
        {
            Encoding = System.Text.Encoding.Latin1.GetString(value[..Math.Min(value.Length, EncodingCharsMax)]);
        }
    }

    private void TakeContentLength(ReadOnlySpan<byte> value)
    {
        if (!Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length
            || value[0] is < (byte)'0'
            || (ContentLength >= 0 && ContentLength != length))
        {
            Malformed = "a content length that is none";
            return;
        }

        ContentLength = length;
    }

    private static string TextOf(ReadOnlySpan<byte> value, HeaderField? field)
    {
        if (field?.Cached is string known)
        {
            return known;
        }

        var text = System.Text.Encoding.Latin1.GetString(value);
        if (field is not null)
        {
            field.Cached = text;
        }

        return text;
    }

    private void AddMetadata(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field)
    {
        var metadata = Metadata;
        DamagedBinary ??= HeaderMetadata.Add(ref metadata, name, value, field, _values);
        Metadata = metadata;
    }
}
