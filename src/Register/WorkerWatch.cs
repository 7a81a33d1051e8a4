// SPDX-License-Identifier: Apache-2.0
namespace Muster.Register;

/// <summary>
/// What the Register remembers of one worker row beside the row itself; lost with the process, harmlessly.
/// </summary>
internal struct WorkerWatch
{
    /// <summary>Number of the open Heartbeat stream; 0 when none is open.</summary>
    public long Stream;

    /// <summary>When the worker was last heard, by the Register's monotonic clock.</summary>
    public long HeardMs;

    /// <summary>How much its deadlines were moved since, because the Register was late itself.</summary>
    public long ShiftMs;

    /// <summary>When it became suspect, for the brake.</summary>
    public long SuspectSinceMs;

    /// <summary>When it was given up.</summary>
    public long GivenUpMs;

    /// <summary>
    /// The connection was closed at its end: unless it comes back until then, its process is taken for dead. 0: not.
    /// </summary>
    public long GoneAtMs;

    /// <summary>How long it may stay away with its connections closed, when it once took longer than most.</summary>
    public uint PatienceMs;

    /// <summary>The host watches its process and will say when it ends.</summary>
    public bool IsWatched;

    /// <summary>The lease it was told.</summary>
    public uint LeaseMs;

    /// <summary>The interval it was told.</summary>
    public uint IntervalMs;

    /// <summary>It wants no more work, whatever its health.</summary>
    public bool IsDraining;

    /// <summary>Every result up to this number is safe, and the worker may forget it.</summary>
    public ulong SafeNumber;

    /// <summary>The PLM has read that it was given up.</summary>
    public bool IsSettled;
}
