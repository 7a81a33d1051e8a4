// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Load.Detection;

/// <summary>The middle and the end of some times, rounded to what a report shows.</summary>
internal sealed record Quantiles
{
    /// <param name="times">At least one.</param>
    public Quantiles(IEnumerable<double> times)
    {
        double[] sorted = [.. times.Order()];
        P50 = At(sorted, 0.5);
        P99 = At(sorted, 0.99);
        Max = At(sorted, 1);
    }

    public double P50 { get; }

    public double P99 { get; }

    public double Max { get; }

    private static double At(double[] sorted, double share) =>
        Math.Round(sorted[(int)Math.Ceiling(sorted.Length * share) - 1], 1);
}
