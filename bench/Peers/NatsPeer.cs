// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;

namespace Muster.Peers;

/// <summary>
/// NATS without JetStream: requests to a queue group, whose members answer to the subject that each request names.
/// Nothing is stored; a request that meets no worker is gone.
/// </summary>
internal sealed class NatsPeer : IServedPeer
{
    private static readonly byte[] s_request = [.. "PUB q r 100\r\n"u8, .. new byte[100], .. "\r\n"u8];
    private static readonly byte[] s_answer = [.. "PUB r 32\r\n"u8, .. new byte[32], .. "\r\n"u8];

    public string Name => "nats";

    public string Package => "nats-server";

    public string Durability => "none";

    public int Window => 2_000;

    public int Tasks => 500_000;

    public IReadOnlyList<string> Server(int port, string folder) =>
        ["nats-server", "-a", "127.0.0.1", "-p", port.ToString(CultureInfo.InvariantCulture)];

    public void Work(int port, Action? command)
    {
        using var socket = Open(port, "SUB q w 1\r\n");
        while (true)
        {
            if (TakeMessage(socket))
            {
                command?.Invoke();
                socket.Put(s_answer);
            }

            if (!socket.HasMore)
            {
                socket.Flush();
            }
        }
    }

    public IPeerClient Connect(int port) => new Client(Open(port, "SUB r 1\r\n"));

    private static PeerSocket Open(int port, string subscription)
    {
        var socket = new PeerSocket(port);
        socket.Put("CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"bench\",\"version\":\"1\"}\r\n");
        socket.Put(subscription);

        // The answer to the ping shows that the subscription holds.
        socket.Put("PING\r\n");
        socket.Flush();
        while (!socket.TakeLine().SequenceEqual("PONG"u8))
        {
        }

        return socket;
    }

    /// <summary>Takes one message of the protocol; true when it was a task or a result.</summary>
    private static bool TakeMessage(PeerSocket socket)
    {
        var line = socket.TakeLine();
        if (line.StartsWith("MSG "u8))
        {
            var bytes = int.Parse(line[(line.LastIndexOf((byte)' ') + 1)..], CultureInfo.InvariantCulture);
            socket.Take(bytes + 2);
            return true;
        }

        if (line.SequenceEqual("PING"u8))
        {
            socket.Put("PONG\r\n");
            return false;
        }

        throw new InvalidDataException($"nats-server: {System.Text.Encoding.ASCII.GetString(line)}");
    }

    private sealed class Client(PeerSocket socket) : IPeerClient
    {
        public void Submit() => socket.Put(s_request);

        public int Receive()
        {
            socket.Flush();
            var results = 0;
            while (results == 0 || socket.HasMore)
            {
                results += TakeMessage(socket) ? 1 : 0;
            }

            return results;
        }

        public void Dispose() => socket.Dispose();
    }
}
