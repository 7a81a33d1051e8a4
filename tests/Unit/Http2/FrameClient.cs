// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Hpack;
using Muster.Transport.Http2;
using Muster.Unit.Transport;

namespace Muster.Unit.Http2;

/// <summary>A client that speaks single frames and reads what comes back, until the server closes.</summary>
internal sealed class FrameClient : IDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly NetworkStream _io;
    private readonly HpackDecoder _decoder = new(4096);

    private FrameClient(Socket socket)
    {
        Socket = socket;
        _io = new NetworkStream(socket, ownsSocket: true);
    }

    public Socket Socket { get; }

    /// <summary>Connects and exchanges prefaces.</summary>
    public static async Task<FrameClient> ConnectAsync(int port, params (ushort Id, uint Value)[] settings)
    {
        var client = await ConnectRawAsync(port);
        await client.SendAsync([.. FrameBytes.Preface, .. FrameBytes.SettingsOf(settings)]);
        return client;
    }

    /// <summary>Connects and says nothing.</summary>
    public static async Task<FrameClient> ConnectRawAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port));
        return new FrameClient(socket);
    }

    public async Task SendAsync(byte[] bytes) => await _io.WriteAsync(bytes).AsTask().WaitAsync(Patience);

    /// <summary>Sends, also when the server may have closed by then; false: it has.</summary>
    public async Task<bool> TrySendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        try
        {
            await _io.WriteAsync(bytes, cancel);
            return true;
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The next frame; null when the server has closed.</summary>
    public async Task<FakeFrame?> ReadAsync()
    {
        try
        {
            var bytes = new byte[FrameHeader.Size];
            await _io.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
            var header = FrameHeader.Read(bytes);
            var payload = new byte[header.Length];
            await _io.ReadExactlyAsync(payload).AsTask().WaitAsync(Patience);
            return new FakeFrame(header.Type, header.Flags, header.StreamId, payload);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The next frame of the type, for the stream when one is named; null when the server closed.</summary>
    public async Task<FakeFrame?> ReadAsync(FrameType type, int streamId = -1)
    {
        while (await ReadAsync() is { } frame)
        {
            if (frame.Type == type && (streamId < 0 || frame.StreamId == streamId))
            {
                return frame;
            }
        }

        return null;
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

    /// <summary>The trailers of the stream's response.</summary>
    public async Task<Dictionary<string, string>> ReadEndAsync(int streamId)
    {
        while (await ReadAsync() is { } frame)
        {
            if (frame.Type == FrameType.Headers)
            {
                var fields = Decode(frame);
                if (frame.StreamId == streamId && frame.Has(FrameFlags.EndStream))
                {
                    return fields;
                }
            }
        }

        throw new InvalidOperationException($"stream {streamId} did not end");
    }

    /// <summary>Reads to the end of the connection and gives the code of its GOAWAY; null: there was none.</summary>
    public async Task<Http2ErrorCode?> ReadGoAwayAsync()
    {
        Http2ErrorCode? code = null;
        while (await ReadAsync() is { } frame)
        {
            if (frame.Type == FrameType.GoAway)
            {
                code = (Http2ErrorCode)BinaryPrimitives.ReadUInt32BigEndian(frame.Payload.AsSpan(4));
            }
        }

        return code;
    }

    public void Dispose() => _io.Dispose();
}
