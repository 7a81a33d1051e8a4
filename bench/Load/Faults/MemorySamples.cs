// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Muster.Shared.Cells;

namespace Muster.Load.Faults;

/// <summary>What the roles hold resident beside the arena, looked at now and then.</summary>
internal sealed class MemorySamples(CellProcesses cell)
{
    private readonly Dictionary<string, List<double>> _mb =
        CellProcesses.Roles.ToDictionary(role => role, _ => new List<double>());

    public Dictionary<string, double> MaxMb =>
        _mb.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value.DefaultIfEmpty().Max()));

    /// <summary>From the first quarter of the samples to the last: what would go on growing.</summary>
    public Dictionary<string, double> GrowthMb => _mb.ToDictionary(
        pair => pair.Key,
        pair => Math.Round(
            Mean(pair.Value.TakeLast(Quarter(pair.Value))) - Mean(pair.Value.Take(Quarter(pair.Value)))));

    public void Take()
    {
        foreach (var (role, samples) in _mb)
        {
            // Pages of the arena are shared, and counted for nobody here.
            var line = File.ReadLines($"/proc/{cell.Role(role).Id}/status")
                .First(text => text.StartsWith("RssAnon:", StringComparison.Ordinal));
            samples.Add(int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null) / 1024.0);
        }
    }

    private static int Quarter(List<double> samples) => Math.Max(1, samples.Count / 4);

    private static double Mean(IEnumerable<double> values) => values.DefaultIfEmpty().Average();
}
