// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using Grpc.Core;
using Muster.Transport.Calls;
using Muster.Transport.Protocol;

namespace Muster.Link;

/// <summary>How a call over a link ends: the trailers of gRPC-Web, one field in a line.</summary>
internal static class LinkTrailers
{
    private const string StatusName = "grpc-status";
    private const string MessageName = "grpc-message";
    private const string BinarySuffix = "-bin";

    /// <summary>The frame that ends a stream, with its prefix.</summary>
    public static byte[] Encode(in Status status, Metadata? trailers)
    {
        var text = new StringBuilder();
        Add(text, StatusName, ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture));
        Add(text, MessageName, PercentCoding.Encode(status.Detail));
        foreach (var entry in trailers ?? Metadata.Empty)
        {
            Add(text, entry.Key, entry.IsBinary ? BinaryCoding.Encode(entry.ValueBytes) : entry.Value);
        }

        return Frame(Encoding.ASCII.GetBytes(text.ToString()));
    }

    /// <summary>The frame with which a client says that it sends no more.</summary>
    public static byte[] HalfClose() => Frame([]);

    /// <summary>Reads what a server wrote; what is not understood is an unknown status.</summary>
    public static Status Decode(ReadOnlySpan<byte> bytes, out Metadata trailers)
    {
        trailers = [];
        var code = StatusCode.Unknown;
        var detail = "";
        foreach (var range in bytes.Split("\r\n"u8))
        {
            var line = bytes[range];
            var colon = line.IndexOf((byte)':');
            if (colon <= 0)
            {
                continue;
            }

            var name = Encoding.ASCII.GetString(line[..colon]);
            var value = line[(colon + 1)..];
            if (name == StatusName)
            {
                code = int.TryParse(value, CultureInfo.InvariantCulture, out var number)
                    ? StatusMapping.FromNumber(number)
                    : StatusCode.Unknown;
            }
            else if (name == MessageName)
            {
                detail = PercentCoding.Decode(value);
            }
            else
            {
                AddTo(trailers, name, value);
            }
        }

        return new Status(code, detail);
    }

    private static void AddTo(Metadata trailers, string name, ReadOnlySpan<byte> value)
    {
        if (!MetadataKey.TryCheck(name, out var key))
        {
            // As over gRPC, a field that cannot be is left out, and the status counts all the same.
            return;
        }

        if (!key.EndsWith(BinarySuffix, StringComparison.Ordinal))
        {
            trailers.Add(key, Encoding.ASCII.GetString(value));
            return;
        }

        var values = new List<byte[]>();
        if (BinaryCoding.TryDecode(value, values))
        {
            values.ForEach(bytes => trailers.Add(key, bytes));
        }
    }

    private static void Add(StringBuilder text, string name, string value) =>
        text.Append(name).Append(':').Append(value).Append("\r\n");

    private static byte[] Frame(byte[] fields)
    {
        var frame = new byte[LinkEnd.PrefixBytes + fields.Length];
        LinkEnd.WritePrefix(frame, LinkEnd.EndFlag, fields.Length);
        fields.CopyTo(frame, LinkEnd.PrefixBytes);
        return frame;
    }
}
