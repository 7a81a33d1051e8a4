// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Grpc.Core;
using Muster.Transport.Hpack;
using Muster.Transport.Protocol;

namespace Muster.Transport.Calls;

/// <summary>
/// Encodes request headers. What is the same for every call of a method on a channel is encoded once and kept. Safe for
/// any thread. Keeps at most <see cref="MethodsMax"/> methods; others are encoded for each call.
/// </summary>
internal sealed class RequestHeaders(
    string authority, bool secure, string userAgent, int metadataBytesMax, string? bearer = null)
{
    public const int MethodsMax = 1024;

    private static readonly SearchValues<char> s_valueChars = SearchValues.Create(
        " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~");

    private readonly ConcurrentDictionary<IMethod, byte[]> _blocks = new();

    /// <summary>The header block that all calls of the method share.</summary>
    public byte[] For(IMethod method)
    {
        if (_blocks.TryGetValue(method, out var block))
        {
            return block;
        }

        block = Encode(method);
        if (_blocks.Count < MethodsMax)
        {
            _blocks.TryAdd(method, block);
        }

        return block;
    }

    /// <summary>
    /// The caller's metadata as a header block; null when there are none. Throws <see cref="RpcException"/> when they
    /// are larger than allowed or hold what no header can.
    /// </summary>
    public byte[]? Encode(Metadata? metadata)
    {
        if (metadata is null || metadata.Count == 0)
        {
            return null;
        }

        var size = 0;
        var lengthMax = 0;
        var values = new string[metadata.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = TextOf(metadata[i]);
            size += metadata[i].Key.Length + values[i].Length + HeaderField.Overhead;
            lengthMax += HpackWriter.LiteralLengthMax(metadata[i].Key.Length, values[i].Length);
        }

        if (size > metadataBytesMax)
        {
            throw new RpcException(new Status(
                StatusCode.ResourceExhausted, $"The metadata have {size} bytes; at most {metadataBytesMax} are sent."));
        }

        var bytes = new byte[lengthMax];
        var writer = new HpackWriter(bytes);
        for (var i = 0; i < values.Length; i++)
        {
            if (!IsReserved(metadata[i].Key))
            {
                writer.Literal(Encoding.ASCII.GetBytes(metadata[i].Key), Encoding.ASCII.GetBytes(values[i]));
            }
        }

        return bytes[..writer.Length];
    }

    private static string TextOf(Metadata.Entry entry)
    {
        if (entry.IsBinary)
        {
            return BinaryCoding.Encode(entry.ValueBytes);
        }

        return !entry.Value.AsSpan().ContainsAnyExcept(s_valueChars)
            ? entry.Value
            : throw new RpcException(new Status(
                StatusCode.Internal, $"The metadata value of '{entry.Key}' holds more than printable ASCII."));
    }

    // The transport writes these itself, or HTTP/2 forbids them; a second one would spoil the request.
    private static bool IsReserved(string key) => key is "te" or "content-type" or "user-agent" or "grpc-timeout"
        or "grpc-encoding" or "grpc-accept-encoding" or "host" or "connection" or "keep-alive" or "upgrade"
        or "transfer-encoding" or "proxy-connection" or "content-length";

    private byte[] Encode(IMethod method)
    {
        var path = Encoding.UTF8.GetBytes(method.FullName);
        var host = Encoding.UTF8.GetBytes(authority);
        var agent = Encoding.UTF8.GetBytes(userAgent);
        var proof = bearer is null ? [] : Encoding.ASCII.GetBytes("Bearer " + bearer);
        var bytes = new byte[path.Length + host.Length + agent.Length + proof.Length + 256];
        var writer = new HpackWriter(bytes);
        writer.Indexed(StaticTable.MethodPost);
        writer.Indexed(secure ? StaticTable.SchemeHttps : StaticTable.SchemeHttp);
        writer.Literal(StaticTable.Path, path);
        writer.Literal(StaticTable.Authority, host);
        writer.Literal("te"u8, "trailers"u8);
        writer.Literal(StaticTable.ContentType, "application/grpc"u8);
        writer.Literal(StaticTable.UserAgent, agent);
        writer.Literal("grpc-accept-encoding"u8, "identity"u8);
        if (proof.Length > 0)
        {
            writer.Literal("authorization"u8, proof);
        }

        return bytes[..writer.Length];
    }
}
