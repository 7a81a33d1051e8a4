// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Threading.Tasks;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

/// <summary>One connection of a <see cref="FakeServer"/>.</summary>
internal sealed class FakeConnection(Stream io) : IDisposable
{
    private readonly Stream _io = io;
    private readonly HpackDecoder _decoder = new(4096);

    public Dictionary<SettingId, uint> ClientSettings { get; } = [];

    public static byte[] Message(byte[] payload, byte flag = 0)
    {
        var framed = new byte[payload.Length + 5];
        framed[0] = flag;
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), payload.Length);
        payload.CopyTo(framed, 5);
        return framed;
    }

    public async Task GreetAsync(params (int Id, uint Value)[] settings)
    {
        var preface = new byte[24];
        await _io.ReadExactlyAsync(preface).AsTask().WaitAsync(FakeServer.Patience);
        Assert.Equal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Encoding.ASCII.GetString(preface));
        var frame = await ReadAnyAsync();
        Assert.Equal(FrameType.Settings, frame.Type);
        for (var i = 0; i < frame.Payload.Length; i += 6)
        {
            ClientSettings[(SettingId)BinaryPrimitives.ReadUInt16BigEndian(frame.Payload.AsSpan(i))] =
                BinaryPrimitives.ReadUInt32BigEndian(frame.Payload.AsSpan(i + 2));
        }

        await SettingsAsync(settings);
    }

    public Task SettingsAsync(params (int Id, uint Value)[] settings)
    {
        var payload = new byte[settings.Length * 6];
        for (var i = 0; i < settings.Length; i++)
        {
            BinaryPrimitives.WriteUInt16BigEndian(payload.AsSpan(i * 6), (ushort)settings[i].Id);
            BinaryPrimitives.WriteUInt32BigEndian(payload.AsSpan((i * 6) + 2), settings[i].Value);
        }

        return SendAsync(FrameType.Settings, FrameFlags.None, 0, payload);
    }

    /// <summary>The next frame that is about a call: settings and their answers are passed over, updates too.</summary>
    public async Task<FakeFrame> ReadAsync()
    {
        while (true)
        {
            var frame = await ReadAnyAsync();
            if (frame.Type is not FrameType.Settings and not FrameType.WindowUpdate)
            {
                return frame;
            }
        }
    }

    /// <summary>The next frame of the type, whatever comes before.</summary>
    public async Task<FakeFrame> ReadAsync(FrameType type, int streamId = -1)
    {
        while (true)
        {
            var frame = await ReadAnyAsync();
            if (frame.Type == type && (streamId < 0 || frame.StreamId == streamId))
            {
                return frame;
            }
        }
    }

    /// <summary>Reads a whole unary request and gives its stream.</summary>
    public async Task<int> ReadRequestAsync()
    {
        var headers = await ReadAsync(FrameType.Headers);
        FakeFrame data;
        do
        {
            data = await ReadAsync(FrameType.Data, headers.StreamId);
        }
        while (!data.Has(FrameFlags.EndStream));
        return headers.StreamId;
    }

    public Dictionary<string, string> Decode(FakeFrame headers)
    {
        var sink = new HeaderList();
        _decoder.Decode(headers.Payload, sink);
        var found = new Dictionary<string, string>();
        foreach (var (name, value) in sink.Fields)
        {
            found[name] = value;
        }

        return found;
    }

    public Task HeadersAsync(int streamId, bool end, params (string Name, string Value)[] headers) => SendAsync(
        FrameType.Headers,
        FrameFlags.EndHeaders | (end ? FrameFlags.EndStream : FrameFlags.None),
        streamId,
        HeaderList.Encode(headers));

    public Task ResponseHeadersAsync(int streamId) =>
        HeadersAsync(streamId, false, (":status", "200"), ("content-type", "application/grpc"));

    public Task TrailersAsync(int streamId, int status = 0) =>
        HeadersAsync(streamId, true, ("grpc-status", $"{status}"));

    public Task DataAsync(int streamId, byte[] bytes, bool end = false) => SendAsync(
        FrameType.Data, end ? FrameFlags.EndStream : FrameFlags.None, streamId, bytes);

    /// <summary>Answers a unary call with one message and OK.</summary>
    public async Task AnswerAsync(int streamId, byte[] payload)
    {
        await ResponseHeadersAsync(streamId);
        await DataAsync(streamId, Message(payload));
        await TrailersAsync(streamId);
    }

    public Task ResetAsync(int streamId, Http2ErrorCode code) =>
        SendAsync(FrameType.RstStream, FrameFlags.None, streamId, Number((uint)code));

    public Task WindowUpdateAsync(int streamId, uint increment) =>
        SendAsync(FrameType.WindowUpdate, FrameFlags.None, streamId, Number(increment));

    public Task GoAwayAsync(int lastStreamId, Http2ErrorCode code = Http2ErrorCode.NoError) =>
        SendAsync(FrameType.GoAway, FrameFlags.None, 0, [.. Number((uint)lastStreamId), .. Number((uint)code)]);

    public async Task SendAsync(FrameType type, FrameFlags flags, int streamId, byte[] payload)
    {
        var frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, type, flags, streamId).Write(frame);
        payload.CopyTo(frame, FrameHeader.Size);
        await SendRawAsync(frame);
    }

    public async Task SendRawAsync(byte[] bytes) => await _io.WriteAsync(bytes).AsTask().WaitAsync(FakeServer.Patience);

    /// <summary>Waits until the client has closed the connection, and gives its last GOAWAY code, if any.</summary>
    public async Task<Http2ErrorCode?> ReadToEndAsync()
    {
        Http2ErrorCode? code = null;
        try
        {
            while (true)
            {
                var frame = await ReadAnyAsync();
                if (frame.Type == FrameType.GoAway)
                {
                    code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(frame.Payload.AsSpan(4));
                }
            }
        }
        catch (IOException)
        {
            return code;
        }
    }

    public void Dispose() => _io.Dispose();

    private static byte[] Number(uint value)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    public async Task<FakeFrame> ReadAnyAsync()
    {
        var bytes = new byte[FrameHeader.Size];
        await _io.ReadExactlyAsync(bytes).AsTask().WaitAsync(FakeServer.Patience);
        var header = FrameHeader.Read(bytes);
        var payload = new byte[header.Length];
        await _io.ReadExactlyAsync(payload).AsTask().WaitAsync(FakeServer.Patience);
        return new FakeFrame(header.Type, header.Flags, header.StreamId, payload);
    }
}
