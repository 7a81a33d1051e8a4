// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using Muster.Transport.Hpack;

namespace Muster.Unit.Transport;

/// <summary>Collects decoded headers, and encodes some.</summary>
internal sealed class HeaderList : IHeaderSink
{
    public List<(string Name, string Value)> Fields { get; } = [];

    public static byte[] Encode(params (string Name, string Value)[] headers)
    {
        var bytes = new byte[headers.Sum(each => HpackWriter.LiteralLengthMax(each.Name.Length, each.Value.Length))];
        var writer = new HpackWriter(bytes);
        foreach (var (name, value) in headers)
        {
            writer.Literal(Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(value));
        }

        return bytes[..writer.Length];
    }

    public void OnHeader(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, HeaderField? field) =>
        Fields.Add((Encoding.ASCII.GetString(name), Encoding.ASCII.GetString(value)));
}
