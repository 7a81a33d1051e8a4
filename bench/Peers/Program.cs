// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// Runs Muster beside other systems. The same executable is the worker process of each peer.
/// </summary>
internal static class Program
{
    private const string Usage = """
        Usage: Muster.Peers run --load PATH [--peers NAME,NAME] [--rounds N]

        Measures W1 and W2 of Muster, by the program at PATH, and of other systems (nats, gearman, beanstalkd) in turns.
        Installs what is missing from Debian. The last line is one JSON object.
        """;

    private static readonly IPeer[] s_peers = [new NatsPeer(), new GearmanPeer(), new BeanstalkdPeer()];

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
                s_peers.Single(peer => peer.Name == name).Work(int.Parse(port, CultureInfo.InvariantCulture));
                return 0;
            case "run" when options.TryGetValue("--load", out var load):
                var rounds = int.Parse(options.GetValueOrDefault("--rounds", "3"), CultureInfo.InvariantCulture);
                var peers = await DebianPackages.InstallAsync(Chosen(options.GetValueOrDefault("--peers", "")));
                await new PeerComparison(load, peers, rounds).RunAsync();
                return 0;
            default:
                Console.Error.WriteLine(Usage);
                return 2;
        }
    }

    private static IEnumerable<IPeer> Chosen(string names) =>
        s_peers.Where(peer => names.Length == 0 || names.Split(',').Contains(peer.Name));
}
