// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Muster.Load;

/// <summary>
/// The floor under a task's latency: a bare relay with the same hops and nothing else. A client process sends 100 bytes
/// to a broker process, which sends them to a worker process, which sends 32 bytes back the same way; blocking sockets,
/// one message in flight. Over loopback TCP it is the floor that other systems are held against; over Unix sockets it
/// is lower.
/// </summary>
internal static class Relay
{
    private const int RequestBytes = 100;
    private const int ReplyBytes = 32;

    /// <summary>Measures round trips through a broker and a worker process of its own.</summary>
    public static LatencyRecorder Measure(int roundTrips, bool overTcp)
    {
        var folder = Directory.CreateTempSubdirectory("muster-relay-");
        var path = Path.Combine(folder.FullName, overTcp ? "broker.tcp" : "broker");
        var recorder = new LatencyRecorder();
        using var broker = Process.Start(Environment.ProcessPath!, ["relay", "--address", path]);
        using var worker = Process.Start(Environment.ProcessPath!, ["relay", "--address", path + ".worker"]);
        try
        {
            using var socket = ConnectWhenThere(path);
            var request = new byte[RequestBytes];
            var reply = new byte[ReplyBytes];
            for (var trip = -1_000; trip < roundTrips; trip++)
            {
                var start = Stopwatch.GetTimestamp();
                socket.Send(request);
                ReceiveAll(socket, reply);
                if (trip >= 0)
                {
                    recorder.Add(LatencyRecorder.MicrosecondsSince(start));
                }
            }
        }
        finally
        {
            broker.Kill();
            worker.Kill();
            broker.WaitForExit();
            worker.WaitForExit();
            folder.Delete(recursive: true);
        }

        return recorder;
    }

    /// <summary>The broker's or, for a path that ends in ".worker", the worker's life.</summary>
    public static void RunBroker(string path)
    {
        var isWorker = path.EndsWith(".worker", StringComparison.Ordinal);
        using var listener = Listen(path);
        using var next = isWorker ? null : ConnectWhenThere(path + ".worker");
        using var client = listener.Accept();
        SendAtOnce(client);
        var request = new byte[RequestBytes];
        var reply = new byte[ReplyBytes];
        while (ReceiveAll(client, request))
        {
            if (next is not null)
            {
                next.Send(request);
                ReceiveAll(next, reply);
            }

            client.Send(reply);
        }
    }

    private static Socket ConnectWhenThere(string path)
    {
        var deadline = Stopwatch.GetTimestamp() + (10 * Stopwatch.Frequency);
        while (true)
        {
            var socket = NewSocket(path);
            try
            {
                socket.Connect(EndPointOf(path));
                SendAtOnce(socket);
                return socket;
            }
            catch (Exception failure) when (
                failure is SocketException or IOException && Stopwatch.GetTimestamp() < deadline)
            {
                // The other process is still starting.
                socket.Dispose();
                using var pause = new ManualResetEventSlim();
                pause.Wait(5);
            }
        }
    }

    private static bool IsTcp(string path) => path.Contains(".tcp", StringComparison.Ordinal);

    private static EndPoint EndPointOf(string path) => IsTcp(path)
        ? new IPEndPoint(IPAddress.Loopback, int.Parse(File.ReadAllText(path), CultureInfo.InvariantCulture))
        : new UnixDomainSocketEndPoint(path);

    private static Socket NewSocket(string path) => IsTcp(path)
        ? new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);

    private static void SendAtOnce(Socket socket)
    {
        if (socket.ProtocolType == ProtocolType.Tcp)
        {
            socket.NoDelay = true;
        }
    }

    // A TCP relay writes the port that it was given into the file of its path.
    private static Socket Listen(string path)
    {
        var listener = NewSocket(path);
        listener.Bind(IsTcp(path) ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint(path));
        listener.Listen();
        if (IsTcp(path))
        {
            var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
            File.WriteAllText(path + ".new", port.ToString(CultureInfo.InvariantCulture));
            File.Move(path + ".new", path);
        }

        return listener;
    }

    private static bool ReceiveAll(Socket socket, byte[] bytes)
    {
        for (var at = 0; at < bytes.Length;)
        {
            var count = socket.Receive(bytes.AsSpan(at));
            if (count == 0)
            {
                return false;
            }

            at += count;
        }

        return true;
    }
}
