// SPDX-License-Identifier: Apache-2.0
using Muster.Arena.Tables;
using Muster.Core;

namespace Muster.Register;

/// <summary>
/// What the Register orders its host to do, and what it tells for log and metrics. Called inside a turn, on the turn's
/// thread. None of these may call back into the core.
/// </summary>
internal interface IRegisterEffects
{
    /// <summary>End the row's Heartbeat stream with this fault; the core counts it as closed already.</summary>
    void CloseStream(uint row, long stream, Fault fault);

    /// <summary>Tell the worker that every result up to this number is safe.</summary>
    void Confirm(uint row, long stream, ulong number);

    /// <summary>
    /// Watch this process if it runs on this host and is the same one, and tell the core when it exits. Replaces an
    /// earlier watch of the row.
    /// </summary>
    void WatchProcess(uint row, uint epoch, uint pid, ulong pidStart);

    /// <summary>Stop watching the row's process.</summary>
    void UnwatchProcess(uint row);

    /// <summary>A worker's health changed.</summary>
    void HealthChanged(uint row, WorkerHealth before, WorkerHealth after, WorkerReason reason);

    /// <summary>So many workers fell silent together that the Register gives nobody up for a while.</summary>
    void BrakePulled(int suspects, int workers, uint holdMs);

    /// <summary>The Register was late itself and moved every deadline.</summary>
    void WasLate(long lateMs);

    /// <summary>A result could not be stored; its worker keeps it and sends it again.</summary>
    void RegionFull(uint row, int bytes);
}
