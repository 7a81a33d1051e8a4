// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Load.Faults;

/// <summary>How long it took after each fault, by kind of fault. One thread.</summary>
internal sealed class RecoveryTimes
{
    private readonly SortedDictionary<string, List<double>> _byKind = [];

    public void Add(string kind, TimeSpan time)
    {
        if (!_byKind.TryGetValue(kind, out var list))
        {
            _byKind[kind] = list = [];
        }

        list.Add(time.TotalMilliseconds);
    }

    /// <summary>Nearest rank over all kinds that satisfy the condition; 0 when there is none.</summary>
    public double Percentile(double share, Func<string, bool> takes) =>
        Percentile([.. _byKind.Where(pair => takes(pair.Key)).SelectMany(pair => pair.Value)], share);

    public Dictionary<string, object> ByKind() => _byKind.ToDictionary(
        pair => pair.Key,
        pair => (object)new
        {
            rounds = pair.Value.Count,
            p50_ms = Percentile(pair.Value, 0.5),
            p99_ms = Percentile(pair.Value, 0.99),
            max_ms = Math.Round(pair.Value.Max()),
        });

    private static double Percentile(List<double> values, double share)
    {
        if (values.Count == 0)
        {
            return 0;
        }

        List<double> sorted = [.. values.Order()];
        return Math.Round(sorted[Math.Clamp((int)Math.Ceiling(sorted.Count * share) - 1, 0, sorted.Count - 1)]);
    }
}
