// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// A peer's server and two worker processes, started for one round and ended by pid after it, and this process as the
/// client.
/// </summary>
internal sealed class PeerRun : IAsyncDisposable
{
    private const int Workers = 2;
    private const int CommandWindow = 100;

    private readonly IServedPeer _peer;
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-peer-").FullName;
    private readonly List<ChildProcess> _processes = [];

    private PeerRun(IServedPeer peer) => _peer = peer;

    /// <summary>W1 and W2 of one round: tasks per second, p50 and p99 in microseconds.</summary>
    public static async Task<(double PerSecond, double P50Us, double P99Us)> MeasureAsync(IServedPeer peer, int lone)
    {
        await using var run = new PeerRun(peer);
        using var client = await run.StartAsync(commands: false);
        Flow(client, peer.Tasks / 10, peer.Window);
        var start = Stopwatch.GetTimestamp();
        Flow(client, peer.Tasks, peer.Window);
        var perSecond = peer.Tasks / Stopwatch.GetElapsedTime(start).TotalSeconds;

        Lone(client, lone / 10);
        var times = Lone(client, lone);
        return (perSecond, times[times.Length / 2], times[times.Length * 99 / 100]);
    }

    /// <summary>W5 of one round: commands per second.</summary>
    public static async Task<double> MeasureCommandsAsync(IServedPeer peer, int commands)
    {
        await using var run = new PeerRun(peer);
        using var client = await run.StartAsync(commands: true);
        Flow(client, commands / 10, CommandWindow);
        var start = Stopwatch.GetTimestamp();
        Flow(client, commands, CommandWindow);
        return commands / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public async ValueTask DisposeAsync()
    {
        // Workers first: they would complain that their server is gone.
        for (var at = _processes.Count - 1; at >= 0; at--)
        {
            await _processes[at].DisposeAsync();
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

    private async Task<IPeerClient> StartAsync(bool commands)
    {
        var port = ChildProcess.FreePort();
        await _peer.SetUpAsync(_folder);
        _processes.Add(ChildProcess.Start(_peer.Server(port, _folder), _folder, "server.log"));
        await ChildProcess.ListensAsync(port);
        for (var n = 0; n < Workers; n++)
        {
            string[] words =
            [
                Environment.ProcessPath!, "work", "--peer", _peer.Name,
                "--port", port.ToString(CultureInfo.InvariantCulture), "--command", commands ? "true" : "none",
            ];
            _processes.Add(ChildProcess.Start(words, _folder, $"worker-{n}.log"));
        }

        // Until every worker has told the server so; a request that meets none would be lost with some peers.
        await Task.Delay(TimeSpan.FromSeconds(2));
        return _peer.Connect(port);
    }
}
