// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Decisions;

/// <summary>Means and quantiles.</summary>
internal static class Figures
{
    public static double GeometricMean(IEnumerable<double> values) =>
        Math.Exp(values.Select(value => Math.Log(value)).DefaultIfEmpty(0).Average());

    /// <summary>The value that this part of all is not above.</summary>
    public static double Quantile(double[] sorted, double part) =>
        sorted[Math.Clamp((int)Math.Ceiling(part * sorted.Length) - 1, 0, sorted.Length - 1)];

    /// <summary>Jain's index: 1 when all have the same, 1/n when one has all.</summary>
    public static double Jain(IReadOnlyCollection<double> values)
    {
        var sum = values.Sum();
        return sum * sum / (values.Count * values.Sum(value => value * value));
    }

    public static double Round(double value) => double.IsFinite(value) ? Math.Round(value, 4) : 0;
}
