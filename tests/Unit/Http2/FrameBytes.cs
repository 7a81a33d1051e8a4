// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Linq;
using Muster.Transport.Http2;
using Muster.Unit.Transport;

namespace Muster.Unit.Http2;

/// <summary>Frames as bytes, also those that no client should send.</summary>
internal static class FrameBytes
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte Priority = 2;
    public const byte Reset = 3;
    public const byte Settings = 4;
    public const byte PushPromise = 5;
    public const byte Ping = 6;
    public const byte GoAway = 7;
    public const byte WindowUpdate = 8;
    public const byte Continuation = 9;

    public const byte EndStream = 1;
    public const byte Ack = 1;
    public const byte EndHeaders = 4;
    public const byte Padded = 8;
    public const byte HasPriority = 32;

    public static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    public static byte[] Of(byte type, byte flags, uint streamId, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, (FrameType)type, (FrameFlags)flags, 0).Write(frame);
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(5), streamId);
        payload.CopyTo(frame, FrameHeader.Size);
        return frame;
    }

    public static byte[] Of(byte type, byte flags, uint streamId) => Of(type, flags, streamId, []);

    public static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public static byte[] Setting(ushort id, uint value) => [(byte)(id >> 8), (byte)id, .. Number(value)];

    public static byte[] SettingsOf(params (ushort Id, uint Value)[] settings) =>
        Of(Settings, 0, 0, [.. settings.SelectMany(setting => Setting(setting.Id, setting.Value))]);

    public static byte[] WindowUpdateOf(uint streamId, uint increment) =>
        Of(WindowUpdate, 0, streamId, Number(increment));

    public static byte[] ResetOf(uint streamId) => Of(Reset, 0, streamId, Number(8));

    public static byte[] DataOf(uint streamId, byte[] bytes, bool endStream) =>
        Of(Data, endStream ? EndStream : (byte)0, streamId, bytes);

    /// <summary>A gRPC message of so many bytes behind its prefix.</summary>
    public static byte[] Message(int length) => [0, .. Number((uint)length), .. new byte[length]];

    public static (string Name, string Value)[] Usual(string path) =>
    [
        (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "localhost"),
        ("te", "trailers"), ("content-type", "application/grpc"),
    ];

    public static byte[] HeadersOf(uint streamId, bool endStream, params (string Name, string Value)[] headers) => Of(
        Headers, (byte)(EndHeaders | (endStream ? EndStream : 0)), streamId, HeaderList.Encode(headers));

    public static byte[] Request(uint streamId, string path, bool endStream) =>
        HeadersOf(streamId, endStream, Usual(path));
}
