// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Text;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Muster.Transport.Protocol;

namespace Muster.Server.Endpoint;

/// <summary>Metadata between the header dictionary of HTTP/2 and the list of gRPC.</summary>
internal static class MetadataFields
{
    private const int EntryOverhead = 32;

    /// <summary>Size of a request's metadata as HTTP/2 counts it, pseudo and gRPC's own fields left out.</summary>
    public static int SizeOf(IHeaderDictionary headers)
    {
        var size = 0;
        foreach (var (key, values) in headers)
        {
            if (!IsMetadata(key))
            {
                continue;
            }

            foreach (var value in values)
            {
                size += key.Length + (value?.Length ?? 0) + EntryOverhead;
            }
        }

        return size;
    }

    /// <summary>Reads the metadata; a binary value that is not base64 ends the call.</summary>
    public static Metadata Read(IHeaderDictionary headers)
    {
        var metadata = new Metadata();
        foreach (var (key, values) in headers)
        {
            if (!IsMetadata(key))
            {
                continue;
            }

            var name = key.ToLowerInvariant();
            foreach (var value in values)
            {
                if (name.EndsWith(Metadata.BinaryHeaderSuffix, StringComparison.Ordinal))
                {
                    AddBinary(metadata, name, value ?? "");
                }
                else
                {
                    metadata.Add(name, value ?? "");
                }
            }
        }

        return metadata;
    }

    /// <summary>Adds the entries to response headers or trailers. Throws when a value cannot be sent.</summary>
    public static void Write(IHeaderDictionary fields, Metadata metadata)
    {
        foreach (var entry in metadata)
        {
            if (!entry.IsBinary && !IsSendable(entry.Value))
            {
                throw new InvalidOperationException(
                    $"The value of metadata '{entry.Key}' is not printable ASCII; use a key that ends in -bin.");
            }

            fields.Append(entry.Key, entry.IsBinary ? BinaryCoding.Encode(entry.ValueBytes) : entry.Value);
        }
    }

    private static bool IsMetadata(string key) =>
        key.Length > 0 && key[0] != ':' && !key.StartsWith("grpc-", StringComparison.OrdinalIgnoreCase)
        && !key.Equals("content-type", StringComparison.OrdinalIgnoreCase)
        && !key.Equals("te", StringComparison.OrdinalIgnoreCase)
        && !key.Equals("host", StringComparison.OrdinalIgnoreCase);

    private static bool IsSendable(string value) => !value.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static void AddBinary(Metadata metadata, string name, string coded)
    {
        var values = new List<byte[]>();
        if (!BinaryCoding.TryDecode(Encoding.Latin1.GetBytes(coded), values))
        {
            throw new RpcException(new Status(StatusCode.Internal, $"The metadata '{name}' is not base64."));
        }

        foreach (var value in values)
        {
            metadata.Add(name, value);
        }
    }
}
