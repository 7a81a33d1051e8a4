// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// Runs Muster beside other systems. The same executable is the worker process of some, and all of Quartz.NET.
/// </summary>
internal static class Program
{
    private const string Usage = """
        Usage: Muster.Peers run --load PATH [--peers NAME,NAME] [--rounds N]

        Measures W1, W2 and W5 of Muster, by the program at PATH, and of other systems in turns: nats, gearman,
        beanstalkd, postgres, bullmq, quartz, dask. Installs what is missing from Debian and npm. From the root of the
        repository. The last line is one JSON object.
        """;

    private static readonly IServedPeer[] s_served =
        [new NatsPeer(), new GearmanPeer(), new BeanstalkdPeer(), new PostgresPeer()];

    public static async Task<int> Main(string[] args)
    {
        if (args.Length % 2 == 0)
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        var options = args.Skip(1).Chunk(2).ToDictionary(pair => pair[0], pair => pair[1]);
        switch (args[0])
        {
            case "work" when options.TryGetValue("--peer", out var name) && options.TryGetValue("--port", out var port):
                var command = options.GetValueOrDefault("--command") == "true" ? TrueCommand.Run : (Action?)null;
                s_served.Single(peer => peer.Name == name).Work(int.Parse(port, CultureInfo.InvariantCulture), command);
                return 0;
            case "quartz":
                await QuartzRun.RunAsync();
                return 0;
            case "run" when options.TryGetValue("--load", out var load):
                return await CompareAsync(load, options);
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    private static async Task<int> CompareAsync(string load, Dictionary<string, string> options)
    {
        var asked = options.GetValueOrDefault("--rounds", "3");
        if (!int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) || rounds < 1)
        {
            Console.Error.WriteLine($"Muster.Peers: USAGE: --rounds '{asked}' is no number of rounds");
            return 2;
        }

        var names = options.GetValueOrDefault("--peers", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
        var unknown = names.Except(All().Select(static peer => peer.Name)).ToList();
        if (unknown.Count > 0)
        {
            // Half an hour of Muster alone is not what somebody with a typing error wants.
            Console.Error.WriteLine($"Muster.Peers: USAGE: no peer is called {string.Join(", ", unknown)}; there are "
                + string.Join(", ", All().Select(static peer => peer.Name)));
            return 2;
        }

        var ready = new List<IPeer>();
        var leftOut = new Dictionary<string, string>();
        foreach (var peer in All().Where(peer => names.Length == 0 || names.Contains(peer.Name)))
        {
            if (await DebianPackages.InstallAsync(peer) is { } why)
            {
                Console.WriteLine($"{peer.Name} is left out: {why}");
                leftOut[peer.Name] = why;
            }
            else
            {
                ready.Add(peer);
            }
        }

        await new PeerComparison(load, ready, rounds).RunAsync(leftOut);
        return 0;
    }

    private static IEnumerable<IPeer> All() =>
    [
        .. s_served.Select(served => new ServedPeer(served)), new BullMqPeer(), new QuartzPeer(), new DaskPeer(),
    ];
}
