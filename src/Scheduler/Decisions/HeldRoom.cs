// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>Room that is kept for a task which did not fit: where, when it is expected to suffice, and what is left
/// beside it then.</summary>
internal sealed class HeldRoom
{
    public const int None = -1;

    /// <summary>The task it is for; <see cref="None"/> when it is not in use.</summary>
    public int Task { get; set; } = None;

    public UserShare? Share { get; set; }

    public long Us { get; set; }

    /// <summary>Something ended there since it was looked at.</summary>
    public bool IsStale { get; set; }

    public int Count { get; set; }

    /// <summary>The workers, and how many members each is for.</summary>
    public Place[] Places { get; set; } = new Place[4];

    /// <summary>By worker, what others may have beyond <see cref="Us"/>.</summary>
    public Resources[] Spare { get; set; } = new Resources[4];
}
