// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Shared.Cells;
using Muster.Shared.Faults;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>One cell on one image, through its cuts.</summary>
internal sealed class PowerCutRun
{
    private readonly CellProcesses _cell;
    private readonly LoopImage _image;
    private readonly HistoryOracle _oracle;
    private readonly long _forgivenUs;

    public PowerCutRun(LoadOptions options, CellProcesses cell, LoopImage image, HistoryOracle oracle)
    {
        _cell = cell;
        _image = image;
        _oracle = oracle;

        // Ten times what is promised, so that a broken promise shows as an age and not as another finding.
        _forgivenUs = options.Level == Durability.Relaxed ? 100_000 : 0;
        Client = new SessionClient(
            new SessionClientOptions
            {
                Address = cell.Address,
                Actor = "session",
                Durability = options.Level,
                InFlightMax = 500,
            },
            new SessionBook(),
            oracle);
    }

    public SessionClient Client { get; }

    /// <summary>From the start of the roles to the first answer to a submission made after it.</summary>
    public RecoveryTimes Restart { get; } = new();

    /// <summary>The longest time between an acknowledgement and the cut that lost it.</summary>
    public double LostAckAgeMsMax { get; private set; }

    /// <summary>
    /// The longest time, at one cut, from the first acknowledgement that it lost to the last: how much was lost. Their
    /// age also has the flush that was under way in it.
    /// </summary>
    public double LostSpanMsMax { get; private set; }

    public async Task CutAsync(int cycle, TimeSpan deadline)
    {
        var before = _oracle.Counts;
        var streams = Client.Streams;
        long cutUs;
        await using (var power = _image.OpenSwitch())
        {
            FileSystemShutdown.Cut(power.SafeFileHandle);

            // Taken after the cut: an acknowledgement that came before is older, never younger, than it looks.
            cutUs = SessionClient.NowUs();
        }

        foreach (var role in CellProcesses.Roles)
        {
            _cell.Role(role).Kill();
        }

        await Task.WhenAll(CellProcesses.Roles.Select(role => _cell.Role(role).WaitForExitAsync()));
        if (_forgivenUs > 0)
        {
            _oracle.TellCut(cutUs, _forgivenUs, SessionClient.NowUs());
        }

        ArenaFile.Remove(_cell.Name);
        await _image.UnmountAsync();
        await _image.MountAsync();
        var start = Stopwatch.GetTimestamp();
        await _cell.StartRolesAsync(CellProcesses.Roles);
        await FlowingAsync(streams, deadline);
        Restart.Add("restart", Stopwatch.GetElapsedTime(start));
        var missing = _oracle.TakeMissing();
        if (missing.Count > 0)
        {
            LostSpanMsMax = Math.Max(LostSpanMsMax, (missing.Max() - missing.Min()) / 1_000.0);
            LostAckAgeMsMax = Math.Max(LostAckAgeMsMax, (cutUs - missing.Min()) / 1_000.0);
        }

        var after = _oracle.Counts;
        Console.WriteLine(
            $"  cycle {cycle,4}: {after.Acked - before.Acked,6:N0} acknowledged, {missing.Count} lost, "
            + $"back after {Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
    }

    /// <summary>Ends when a later stream than this one has had a submission acknowledged.</summary>
    public async Task FlowingAsync(int streams, TimeSpan deadline)
    {
        var start = Stopwatch.GetTimestamp();
        while (Client.Streams <= streams)
        {
            await WaitAsync();
        }

        var acked = _oracle.Counts.Acked;
        while (_oracle.Counts.Acked == acked)
        {
            await WaitAsync();
        }

        async Task WaitAsync()
        {
            if (Stopwatch.GetElapsedTime(start) > deadline)
            {
                throw new TimeoutException(
                    $"no submission was answered for {deadline.TotalSeconds} s: {Client.LastEnd}");
            }

            await Task.Delay(2);
        }
    }
}
