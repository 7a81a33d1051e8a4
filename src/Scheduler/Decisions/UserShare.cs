// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>
/// What one user had in one band. The pass is dominant share times microseconds over weight, expected at the start of a
/// task and corrected at its end; the user with the lowest goes first.
/// </summary>
internal sealed class UserShare(int number, int user, int band)
{
    public int Number { get; } = number;

    public int User { get; } = user;

    public int Band { get; } = band;

    public double Pass { get; set; }

    public double Weight { get; set; } = 1;

    public bool IsWaiting { get; set; }

    /// <summary>Members of graphs, then loose tasks.</summary>
    public Lane[] Lanes { get; } = new Lane[2];

    public bool HasCandidate => Lanes[0].Heap.Count + Lanes[1].Heap.Count > 0;

    /// <summary>The lane whose turn it is, of those with something to try.</summary>
    public Lane Turn => Lanes[1].Heap.Count == 0 || (Lanes[0].Heap.Count > 0 && Lanes[0].Pass <= Lanes[1].Pass)
        ? Lanes[0]
        : Lanes[1];
}
