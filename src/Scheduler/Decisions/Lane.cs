// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>The waiting classes of one user that compete with each other: members of graphs, or loose tasks.</summary>
internal sealed class Lane(UserShare share, int number, int[] classPositions)
{
    public UserShare Share { get; } = share;

    public int Number { get; } = number;

    /// <summary>Classes that may be tried, by level and age.</summary>
    public IndexedHeap Heap { get; } = new(classPositions, 16);

    /// <summary>Live classes, tried or not.</summary>
    public int Classes { get; set; }

    /// <summary>The class of tasks with a place each; -1 when there is none.</summary>
    public int OrderedClass { get; set; } = -1;

    public IndexedHeap? Ordered { get; set; }

    /// <summary>Service had, for turns between the lanes of one user.</summary>
    public double Pass { get; set; }
}
