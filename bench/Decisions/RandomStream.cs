// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Decisions;

/// <summary>Random numbers that are the same on every machine for the same seed.</summary>
internal sealed class RandomStream(ulong seed)
{
    private ulong _state = seed;

    public double Uniform() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    public int Next(int end) => (int)(Uniform() * end);

    public double Exponential() => -Math.Log(1 - Uniform());

    public double Normal() =>
        Math.Sqrt(-2 * Math.Log(1 - Uniform())) * Math.Cos(2 * Math.PI * Uniform());

    private ulong NextBits()
    {
        _state += 0x9E3779B97F4A7C15UL;
        var mixed = (_state ^ (_state >> 30)) * 0xBF58476D1CE4E5B9UL;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBUL;
        return mixed ^ (mixed >> 31);
    }
}
