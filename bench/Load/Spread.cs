// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster;

/// <summary>What the rounds of one figure gave. Immutable.</summary>
/// <param name="Median">The middle one; between the middle two of an even count.</param>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
internal readonly record struct Spread(double Median, double Min, double Max)
{
    /// <summary>Of at least one round, rounded to so many digits.</summary>
    public static Spread Of(IReadOnlyCollection<double> rounds, int digits = 0) => new(
        Math.Round(Middle([.. rounds.Order()]), digits),
        Math.Round(rounds.Min(), digits),
        Math.Round(rounds.Max(), digits));

    private static double Middle(double[] sorted) => (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
}
