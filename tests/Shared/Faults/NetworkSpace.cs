// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// A network of its own with nothing but loopback, whose packets can be dropped and slowed. Needs root. A program
/// started in it is wrapped: <see cref="Wrapper"/> enters it and executes the program.
/// </summary>
internal sealed class NetworkSpace : IAsyncDisposable
{
    private static int s_number;

    private NetworkSpace(string name) => Name = name;

    public string Name { get; }

    /// <summary>Goes before the program.</summary>
    public string[] Wrapper => ["ip", "netns", "exec", Name];

    public static async Task<NetworkSpace> CreateAsync()
    {
        var number = Interlocked.Increment(ref s_number);
        var space = new NetworkSpace(
            string.Create(CultureInfo.InvariantCulture, $"muster-{Environment.ProcessId}-{number}"));
        await HostCommand.RunAsync("ip", "netns", "add", space.Name);
        try
        {
            // Packets of a network's size, not of loopback's, so that losing and slowing some is what it is elsewhere.
            await HostCommand.RunAsync("ip", "-n", space.Name, "link", "set", "lo", "mtu", "1500", "up");
            return space;
        }
        catch
        {
            await space.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// As <see cref="Wrapper"/>, and a folder of the host is hidden: without its Unix sockets, programs use TCP.
    /// </summary>
    public string[] WrapperWithout(string folder) =>
    [
        .. Wrapper, "sh", "-c", $"mount -t tmpfs tmpfs '{folder}' && exec \"$0\" \"$@\"",
    ];

    /// <summary>Replaces all packet rules by these, each one an expression of nft with its verdict.</summary>
    public async Task SetRulesAsync(params string[] rules)
    {
        await HostCommand.TryAsync("ip", "netns", "exec", Name, "nft", "delete", "table", "inet", "faults");
        if (rules.Length == 0)
        {
            return;
        }

        var body = string.Join('\n', rules);
        await HostCommand.RunAsync(
            "ip", "netns", "exec", Name, "nft",
            $"table inet faults {{ chain in {{ type filter hook input priority 0; policy accept;\n{body}\n}}\n}}");
    }

    /// <summary>Loopback passes so many bits a second at most; null: as many as it can.</summary>
    public async Task SetRateAsync(string? rate)
    {
        await HostCommand.TryAsync("tc", "-n", Name, "qdisc", "del", "dev", "lo", "root");
        if (rate is not null)
        {
            await HostCommand.RunAsync(
                "tc", "-n", Name, "qdisc", "add", "dev", "lo", "root",
                "tbf", "rate", rate, "burst", "256kbit", "latency", "500ms");
        }
    }

    public async ValueTask DisposeAsync() => await HostCommand.TryAsync("ip", "netns", "del", Name);
}
