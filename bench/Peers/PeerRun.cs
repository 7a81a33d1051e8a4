// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// A peer's server and two worker processes, started for one round and killed by pid after it, and this process as the
/// client.
/// </summary>
internal sealed class PeerRun : IAsyncDisposable
{
    private const int Workers = 2;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly IPeer _peer;
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-peer-").FullName;
    private readonly List<Process> _processes = [];

    private PeerRun(IPeer peer) => _peer = peer;

    /// <summary>W1 and W2 of one round: tasks per second, p50 and p99 in microseconds.</summary>
    public static async Task<(double PerSecond, double P50Us, double P99Us)> MeasureAsync(IPeer peer, int lone)
    {
        await using var run = new PeerRun(peer);
        using var client = await run.StartAsync();
        Flow(client, peer.Tasks / 10, peer.Window);
        var start = Stopwatch.GetTimestamp();
        Flow(client, peer.Tasks, peer.Window);
        var perSecond = peer.Tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;

        Lone(client, lone / 10);
        var times = Lone(client, lone);
        return (perSecond, times[times.Length / 2], times[times.Length * 99 / 100]);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static void Flow(IPeerClient client, int tasks, int window)
    {
        var submitted = 0;
        for (var done = 0; done < tasks; done += client.Receive())
        {
            for (; submitted < tasks && submitted - done < window; submitted++)
            {
                client.Submit();
            }
        }
    }

    private static double[] Lone(IPeerClient client, int tasks)
    {
        var times = new double[tasks];
        for (var n = 0; n < tasks; n++)
        {
            var start = Stopwatch.GetTimestamp();
            client.Submit();
            client.Receive();
            times[n] = Stopwatch.GetElapsedTime(start).TotalMicroseconds;
        }

        Array.Sort(times);
        return times;
    }

    private async Task<IPeerClient> StartAsync()
    {
        var port = FreePort();
        var words = _peer.Server(port, _folder);

        // Servers live where only root's PATH leads.
        var system = Path.Combine("/usr/sbin", words[0]);
        await LaunchAsync(File.Exists(system) ? system : words[0], [.. Rest(words)], "server.log");
        await ListensAsync(port);
        for (var n = 0; n < Workers; n++)
        {
            string[] arguments = ["work", "--peer", _peer.Name, "--port", port.ToString(CultureInfo.InvariantCulture)];
            await LaunchAsync(Environment.ProcessPath!, arguments, $"worker-{n}.log");
        }

        // Until every worker has told the server so; a request that meets none would be lost with some peers.
        await Task.Delay(TimeSpan.FromSeconds(2));
        return _peer.Connect(port);
    }

    private static IEnumerable<string> Rest(IReadOnlyList<string> words)
    {
        for (var at = 1; at < words.Count; at++)
        {
            yield return words[at];
        }
    }

    private async Task LaunchAsync(string program, string[] arguments, string log)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = _folder,
        })!;
        _processes.Add(process);
        _ = process.StandardOutput.BaseStream.CopyToAsync(Stream.Null);
        _ = KeepAsync(process, Path.Combine(_folder, log));
        await Task.Yield();
    }

    private static async Task KeepAsync(Process process, string path)
    {
        await using var file = File.Create(path);
        await process.StandardError.BaseStream.CopyToAsync(file);
    }

    private static async Task ListensAsync(int port)
    {
        var start = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                using var probe = new PeerSocket(port);
                return;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < s_patience)
            {
                // The server is still starting.
                await Task.Delay(20);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
