// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulation.Kernel;

/// <summary>The seed's chance in the shape in which the SDK takes it.</summary>
internal sealed class JitterSource(SimRandom random) : Random(0)
{
    public override int Next(int maxValue) => maxValue <= 1 ? 0 : random.Below(maxValue);

    public override long NextInt64(long maxValue) => maxValue <= 1 ? 0 : random.Range(0, maxValue - 1);

    public override double NextDouble() => (random.Next64() >> 11) * (1.0 / (1UL << 53));

    protected override double Sample() => NextDouble();
}
