// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Load;

/// <summary>What the rounds of one figure gave. Immutable.</summary>
/// <param name="Median">The middle one; between the middle two of an even count.</param>
/// <param name="Min">The least.</param>
/// <param name="Max">The most.</param>
internal readonly record struct Spread(double Median, double Min, double Max)
{
    /// <summary>Of at least one round, rounded to so many digits.</summary>
    public static Spread Of(IReadOnlyCollection<double> rounds, int digits = 0) => new(
        Math.Round(Throughput.Median([.. rounds]), digits),
        Math.Round(rounds.Min(), digits),
        Math.Round(rounds.Max(), digits));
}
