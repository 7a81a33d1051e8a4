// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Net.Sockets;
using System.Threading;

namespace Muster.Load;

/// <summary>
/// The floor under a task's latency: a bare relay with the same hops and nothing else. A client process sends 100 bytes
/// to a broker process, which sends them to a worker process, which sends 32 bytes back the same way; blocking Unix
/// sockets, one message in flight.
/// </summary>
internal static class Relay
{
    private const int RequestBytes = 100;
    private const int ReplyBytes = 32;

    /// <summary>Measures round trips through a broker and a worker process of its own.</summary>
    public static LatencyRecorder Measure(int roundTrips)
    {
        var folder = Directory.CreateTempSubdirectory("muster-relay-");
        var path = Path.Combine(folder.FullName, "broker");
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
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        using var next = isWorker ? null : ConnectWhenThere(path + ".worker");
        using var client = listener.Accept();
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
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                socket.Connect(new UnixDomainSocketEndPoint(path));
                return socket;
            }
            catch (SocketException) when (Stopwatch.GetTimestamp() < deadline)
            {
                // The other process is still starting.
                socket.Dispose();
                using var pause = new ManualResetEventSlim();
                pause.Wait(5);
            }
        }
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
