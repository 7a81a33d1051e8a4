// SPDX-License-Identifier: Apache-2.0
namespace Muster.Simulation.Kernel;

/// <summary>What a line of the trace says.</summary>
internal enum TraceMark : byte
{
    None,
    Event,
    Up,
    Down,
    Pause,
    Resume,
    Sent,
    Arrived,
    Lost,
    Broken,
    Ended,
    Blocked,
    Step,
    History,
    DiesInside,
    GoesFirst,
    PowerLoss,
    ClockJump,
    Healed,
    Disk,
    Note,
}
