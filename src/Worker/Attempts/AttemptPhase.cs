// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Attempts;

/// <summary>Where an attempt is on this worker.</summary>
internal enum AttemptPhase : byte
{
    /// <summary>Received, waits for a slot.</summary>
    Queued = 0,

    /// <summary>
    /// Has a slot. It keeps it until its handler ends, also when its result is out or not wanted any more.
    /// </summary>
    Running = 1,

    /// <summary>Its handler ended, or it never started and never will.</summary>
    Ended = 2,
}
