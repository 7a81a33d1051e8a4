// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;

namespace Muster.Simulation.Kernel;

/// <summary>
/// All chance of one seed: xoshiro256**, started from the seed by SplitMix64. The framework's own generator may change
/// with a release, and then an old seed would tell another story.
/// </summary>
internal sealed class SimRandom
{
    private ulong _a;
    private ulong _b;
    private ulong _c;
    private ulong _d;

    public SimRandom(ulong seed)
    {
        _a = Split(ref seed);
        _b = Split(ref seed);
        _c = Split(ref seed);
        _d = Split(ref seed);
    }

    public ulong Next64()
    {
        var result = BitOperations.RotateLeft(_b * 5, 7) * 9;
        var shifted = _b << 17;
        _c ^= _a;
        _d ^= _b;
        _b ^= _c;
        _a ^= _d;
        _c ^= shifted;
        _d = BitOperations.RotateLeft(_d, 45);
        return result;
    }

    /// <summary>0 to <paramref name="bound"/> - 1.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next64(), (ulong)bound, out _);

    /// <summary>Both ends may come.</summary>
    public long Range(long least, long most) =>
        least + (long)Math.BigMul(Next64(), (ulong)(most - least + 1), out _);

    /// <summary>True so often in a thousand.</summary>
    public bool Chance(int permille) => Below(1_000) < permille;

    /// <summary>Mostly short, sometimes long: uniform in the exponent.</summary>
    public long Skewed(long least, long most)
    {
        var octaves = BitOperations.Log2((ulong)Math.Max(1, most / Math.Max(1, least)));
        var top = Math.Min(most, Math.Max(1, least) << Below(octaves + 2));
        return Range(least, Math.Max(least, top));
    }

    public T Pick<T>(ReadOnlySpan<T> items) => items[Below(items.Length)];

    private static ulong Split(ref ulong state)
    {
        state += 0x9e3779b97f4a7c15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
