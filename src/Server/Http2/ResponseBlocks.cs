// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Protocol;

namespace Muster.Server.Http2;

/// <summary>
/// Header blocks of responses: the usual ones made once, others made for their call. They touch no table, so one block
/// serves every connection.
/// </summary>
internal static class ResponseBlocks
{
    private const int StatusOk = 8;
    private const int CodedMessageBytesMax = 4 * 1_024;

    // One character of text takes at most this many once it is UTF-8 written as %XX.
    private const int CodedBytesPerCharMax = 9;
    private const int OwnBytesMax = 256;

    /// <summary>What comes before the first message when the handler adds nothing.</summary>
    public static readonly byte[] Headers = OfHeaders(null);

    /// <summary>The end of a call that went well.</summary>
    public static readonly byte[] TrailersOk = OfEnd(Status.DefaultSuccess, null, isTrailersOnly: false);

    public static readonly byte[] MethodNotAllowed = OfHttpStatus("405"u8);

    public static readonly byte[] UnsupportedMediaType = OfHttpStatus("415"u8);

    /// <summary>Response headers. Throws InvalidOperationException when a value cannot be sent.</summary>
    public static byte[] OfHeaders(Metadata? metadata)
    {
        var bytes = new byte[OwnBytesMax + LengthOf(metadata)];
        var writer = new HpackWriter(bytes);
        WriteOwn(ref writer);
        Write(ref writer, metadata);
        return bytes[..writer.Length];
    }

    /// <summary>
    /// The status of a call with its trailers; as long as nothing was sent it rides in the response headers, which are
    /// then the last frame too.
    /// </summary>
    public static byte[] OfEnd(in Status status, Metadata? trailers, bool isTrailersOnly)
    {
        var shown = status;
        if (FindUnsendable(trailers) is { } key)
        {
            // The handler set a trailer that HTTP/2 cannot carry; the client learns that instead of nothing.
            shown = new Status(StatusCode.Internal, Unsendable(key));
            trailers = null;
        }

        var message = shown.Detail.Length > 0 ? Encoding.ASCII.GetBytes(MessageText(shown.Detail)) : [];
        var bytes = new byte[OwnBytesMax + message.Length + LengthOf(trailers)];
        var writer = new HpackWriter(bytes);
        if (isTrailersOnly)
        {
            WriteOwn(ref writer);
        }

        Write(ref writer, trailers);
        Span<byte> code = stackalloc byte[11];
        Utf8Formatter.TryFormat((int)shown.StatusCode, code, out var digits);
        writer.Literal("grpc-status"u8, code[..digits]);
        if (message.Length > 0)
        {
            writer.Literal("grpc-message"u8, message);
        }

        return bytes[..writer.Length];
    }

    private static byte[] OfHttpStatus(ReadOnlySpan<byte> status)
    {
        var bytes = new byte[OwnBytesMax];
        var writer = new HpackWriter(bytes);
        writer.Literal(StatusOk, status);
        return bytes[..writer.Length];
    }

    private static void WriteOwn(ref HpackWriter writer)
    {
        writer.Indexed(StatusOk);
        writer.Literal(StaticTable.ContentType, "application/grpc"u8);
        writer.Literal("grpc-accept-encoding"u8, "identity"u8);
    }

    private static void Write(ref HpackWriter writer, Metadata? metadata)
    {
        if (metadata is null)
        {
            return;
        }

        foreach (var entry in metadata)
        {
            var value = ValueOf(entry);
            if (!IsSendable(entry))
            {
                throw new InvalidOperationException(Unsendable(entry.Key));
            }

            writer.Literal(Encoding.ASCII.GetBytes(entry.Key), Encoding.ASCII.GetBytes(value));
        }
    }

    private static int LengthOf(Metadata? metadata)
    {
        var length = 0;
        if (metadata is not null)
        {
            foreach (var entry in metadata)
            {
                length += HpackWriter.LiteralLengthMax(entry.Key.Length, ValueOf(entry).Length);
            }
        }

        return length;
    }

    private static string ValueOf(Metadata.Entry entry) =>
        entry.IsBinary ? BinaryCoding.Encode(entry.ValueBytes) : entry.Value;

    private static string? FindUnsendable(Metadata? metadata)
    {
        if (metadata is not null)
        {
            foreach (var entry in metadata)
            {
                if (!IsSendable(entry))
                {
                    return entry.Key;
                }
            }
        }

        return null;
    }

    private static bool IsSendable(Metadata.Entry entry) =>
        entry.IsBinary || !entry.Value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static string Unsendable(string key) => string.Create(
        CultureInfo.InvariantCulture,
        $"The value of metadata '{key}' is not printable ASCII; use a key that ends in -bin.");

    // Clients refuse header blocks beyond 8 KiB, and then nobody would see the status itself.
    private static string MessageText(string detail)
    {
        var coded = PercentCoding.Encode(detail);
        return coded.Length <= CodedMessageBytesMax
            ? coded
            : PercentCoding.Encode(detail[..Math.Min(detail.Length, CodedMessageBytesMax / CodedBytesPerCharMax)]);
    }
}
