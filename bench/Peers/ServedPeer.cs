// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>A peer whose client and workers are ours.</summary>
internal sealed class ServedPeer(IServedPeer served) : IPeer
{
    private const int LoneTasks = 5_000;
    private const int Commands = 2_000;

    public IServedPeer Served { get; } = served;

    public string Name => Served.Name;

    public string Durability => Served.Durability;

    public IReadOnlyList<string> Packages => [Served.Package];

    public Task<string?> PrepareAsync() => Task.FromResult<string?>(null);

    public async Task<PeerFigures> MeasureAsync()
    {
        var (perSecond, p50Us, p99Us) = await PeerRun.MeasureAsync(Served, LoneTasks);
        return new(perSecond, p50Us, p99Us, await PeerRun.MeasureCommandsAsync(Served, Commands));
    }
}
