// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Numerics;

namespace Muster.Simulation.Kernel;

/// <summary>
/// The story of a seed: a hash of everything that happened, which must come out the same whenever the seed is run, and
/// the last lines for whoever looks into a failure.
/// </summary>
internal sealed class Trace(World world, Action<string>? print)
{
    private const int LinesKept = 256;

    private readonly Line[] _last = new Line[LinesKept];
    private long _count;
    private ulong _hash = 0xcbf29ce484222325;

    private readonly record struct Line(long TimeUs, TraceMark Mark, int Process, ulong A, ulong B, ulong C);

    public ulong Hash => _hash;

    public long Count => _count;

    public void Add(TraceMark mark, int process, ulong a = 0, ulong b = 0, ulong c = 0)
    {
        var line = new Line(world.NowUs, mark, process, a, b, c);
        Mix((ulong)line.TimeUs);
        Mix(((ulong)mark << 32) | (uint)process);
        Mix(a);
        Mix(b ^ BitOperations.RotateLeft(c, 32));
        _last[_count++ % LinesKept] = line;
        print?.Invoke(Format(line));
    }

    /// <summary>A sentence for people; not part of the hash.</summary>
    public void Say(string text) => print?.Invoke(text);

    public IEnumerable<string> Last(int lines)
    {
        for (var at = Math.Max(0, _count - Math.Min(lines, LinesKept)); at < _count; at++)
        {
            yield return Format(_last[at % LinesKept]);
        }
    }

    private void Mix(ulong value)
    {
        _hash = BitOperations.RotateLeft(_hash ^ value, 27) * 0x9e3779b97f4a7c15;
        _hash ^= _hash >> 29;
    }

    private string Format(in Line line) => string.Create(
        CultureInfo.InvariantCulture,
        $"{line.TimeUs,10} {world.NameOf(line.Process),-10} {line.Mark,-10} {Describe(line)}");

    private static string Describe(in Line line) => line.Mark switch
    {
        TraceMark.Step => string.Create(
            CultureInfo.InvariantCulture,
            $"slot {line.A} {new Core.Tasks.StateWord(line.B)} -> {new Core.Tasks.StateWord(line.C)}"),
        TraceMark.History => string.Create(
            CultureInfo.InvariantCulture,
            $"{(Checking.HistoryOp)(line.A & 0xff)} {(Checking.HistoryOutcome)(line.A >> 8)} {line.B:x} {line.C:x}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{line.A:x} {line.B:x} {line.C:x}"),
    };
}
