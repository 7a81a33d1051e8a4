// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>
/// Quartz.NET, a library: one process is client, scheduler and workers. No task leaves it, so nothing is copied, sent
/// or woken elsewhere.
/// </summary>
internal sealed class QuartzPeer : IPeer
{
    public string Name => "quartz";

    public string Durability => "in process";

    public IReadOnlyList<string> Packages => [];

    public Task<string?> PrepareAsync() => Task.FromResult<string?>(null);

    public async Task<PeerFigures> MeasureAsync() =>
        PeerFigures.Parse(await ChildProcess.LastLineAsync([Environment.ProcessPath!, "quartz"]));
}
