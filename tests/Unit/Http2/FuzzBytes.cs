// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;

namespace Muster.Unit.Http2;

/// <summary>Random input that is right more often than not, so that it gets beyond the first check.</summary>
internal static class FuzzBytes
{
    private static readonly string[] s_names =
    [
        ":method", ":path", ":scheme", ":authority", ":status", "te", "content-type", "content-length", "grpc-timeout",
        "grpc-encoding", "a", "a-bin", "Upper", "connection", "", "x y",
    ];

    private static readonly string[] s_values = ["POST", "/a/b", "http", "trailers", "application/grpc", "5", "", " 1"];

    /// <summary>A header block: indexes, literals, table sizes, some noise.</summary>
    public static byte[] Block(Random random)
    {
        var block = new List<byte>();
        if (random.Next(3) > 0)
        {
            // Method and scheme by index, path and content as literals: a request.
            block.AddRange([0x83, 0x86, 0x44, 4, (byte)'/', (byte)'a', (byte)'/', (byte)'b']);
        }

        for (var left = random.Next(6); left > 0; left--)
        {
            switch (random.Next(8))
            {
                case 0:
                    block.Add((byte)(0x80 | random.Next(128)));
                    break;
                case 1:
                    block.Add((byte)(0x20 | random.Next(32)));
                    break;
                case 2:
                    block.AddRange(Noise(random, random.Next(12)));
                    break;
                default:
                    block.Add(random.Next(3) == 0 ? (byte)0x00 : (byte)0x40);
                    Text(block, random, s_names[random.Next(s_names.Length)]);
                    Text(block, random, s_values[random.Next(s_values.Length)]);
                    break;
            }
        }

        return [.. block];
    }

    /// <summary>A preface, settings and frames of every kind, each with a chance of being damaged.</summary>
    public static byte[] Conversation(Random random)
    {
        using var all = new MemoryStream();
        all.Write(FrameBytes.Preface);
        all.Write(FrameBytes.SettingsOf(
            ((ushort)random.Next(8), (uint)random.Next(70_000)), (4, (uint)random.Next(1, 100_000))));
        for (var left = random.Next(1, 60); left > 0; left--)
        {
            var frame = Frame(random);
            if (random.Next(25) == 0)
            {
                frame[random.Next(frame.Length)] ^= (byte)(1 << random.Next(8));
            }

            all.Write(frame);
        }

        var bytes = all.ToArray();
        return random.Next(10) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
    }

    private static byte[] Frame(Random random)
    {
        var stream = (uint)((random.Next(16) * 2) + (random.Next(20) == 0 ? 0 : 1));
        var flags = (byte)(random.Next(6) == 0 ? random.Next(256) : random.Next(2));
        return random.Next(12) switch
        {
            0 or 1 or 2 => FrameBytes.Of(
                FrameBytes.Headers, (byte)(flags | (random.Next(6) == 0 ? 0 : 4)), stream, Block(random)),
            3 or 4 => FrameBytes.Of(FrameBytes.Data, flags, stream, Body(random)),
            5 => FrameBytes.Of(FrameBytes.Continuation, (byte)(flags | 4), stream, Block(random)),
            6 => FrameBytes.Of(FrameBytes.Reset, 0, stream, FrameBytes.Number((uint)random.Next(16))),
            7 => FrameBytes.SettingsOf(((ushort)random.Next(8), (uint)random.Next(100_000))),
            8 => FrameBytes.Of(FrameBytes.Ping, flags, 0, new byte[8]),
            9 => FrameBytes.WindowUpdateOf(random.Next(2) == 0 ? 0 : stream, (uint)random.Next(100_000)),
            10 => FrameBytes.Of(FrameBytes.Priority, flags, stream, new byte[5]),
            _ => FrameBytes.Of((byte)random.Next(256), flags, stream, Noise(random, random.Next(30))),
        };
    }

    private static byte[] Body(Random random) => random.Next(4) switch
    {
        0 => Noise(random, random.Next(200)),
        1 => FrameBytes.Message(random.Next(16_000)),
        _ => [.. FrameBytes.Message(random.Next(50)), .. FrameBytes.Message(random.Next(50))],
    };

    private static void Text(List<byte> block, Random random, string text)
    {
        block.Add((byte)((random.Next(20) == 0 ? 0x80 : 0) | text.Length));
        foreach (var letter in text)
        {
            block.Add((byte)letter);
        }
    }

    private static byte[] Noise(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }
}
