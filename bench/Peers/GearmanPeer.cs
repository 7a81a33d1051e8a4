// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Muster.Peers;

/// <summary>Gearman: foreground jobs, many in flight on one connection; a worker grabs one job at a time.</summary>
internal sealed class GearmanPeer : IServedPeer
{
    private const int HeaderBytes = 12;
    private const uint CanDo = 1;
    private const uint PreSleep = 4;
    private const uint Noop = 6;
    private const uint SubmitJob = 7;
    private const uint JobCreated = 8;
    private const uint GrabJob = 9;
    private const uint NoJob = 10;
    private const uint JobAssign = 11;
    private const uint WorkComplete = 13;

    private static readonly byte[] s_job = [.. "noop\0\0"u8, .. new byte[100]];
    private static readonly byte[] s_result = new byte[32];

    public string Name => "gearman";

    public string Package => "gearman-job-server";

    public string Durability => "memory";

    public int Window => 200;

    public int Tasks => 60_000;

    // One thread for everything is the faster setting on few cores.
    public IReadOnlyList<string> Server(int port, string folder) =>
    [
        "gearmand", "--listen=127.0.0.1", $"--port={port.ToString(CultureInfo.InvariantCulture)}", "--threads=0",
        $"--log-file={Path.Combine(folder, "gearmand.log")}",
    ];

    public void Work(int port, Action? command)
    {
        using var socket = new PeerSocket(port);
        Send(socket, CanDo, "noop"u8);
        Send(socket, GrabJob, []);
        while (true)
        {
            socket.Flush();
            switch (Next(socket, out var body))
            {
                case JobAssign:
                    byte[] end = [.. body[..(body.IndexOf((byte)0) + 1)], .. s_result];
                    command?.Invoke();
                    Send(socket, WorkComplete, end);
                    Send(socket, GrabJob, []);
                    break;
                case NoJob:
                    Send(socket, PreSleep, []);
                    break;
                case Noop:
                    Send(socket, GrabJob, []);
                    break;
                default:
                    throw new InvalidDataException("gearmand sent a worker what none expects");
            }
        }
    }

    public IPeerClient Connect(int port) => new Client(new PeerSocket(port));

    private static void Send(PeerSocket socket, uint kind, ReadOnlySpan<byte> body)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        "\0REQ"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32BigEndian(header[4..], kind);
        BinaryPrimitives.WriteInt32BigEndian(header[8..], body.Length);
        socket.Put(header);
        socket.Put(body);
    }

    private static uint Next(PeerSocket socket, out ReadOnlySpan<byte> body)
    {
        var header = socket.Take(HeaderBytes);
        var kind = BinaryPrimitives.ReadUInt32BigEndian(header[4..]);
        body = socket.Take(BinaryPrimitives.ReadInt32BigEndian(header[8..]));
        return kind;
    }

    private sealed class Client(PeerSocket socket) : IPeerClient
    {
        public void Submit() => Send(socket, SubmitJob, s_job);

        public int Receive()
        {
            socket.Flush();
            var results = 0;
            while (results == 0 || socket.HasMore)
            {
                var kind = Next(socket, out _);
                results += kind switch
                {
                    WorkComplete => 1,
                    JobCreated => 0,
                    _ => throw new InvalidDataException($"gearmand sent packet {kind}"),
                };
            }

            return results;
        }

        public void Dispose() => socket.Dispose();
    }
}
