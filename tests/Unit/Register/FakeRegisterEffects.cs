// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Arena.Tables;
using Muster.Core;
using Muster.Register;

namespace Muster.Unit.Register;

/// <summary>Keeps what the Register orders and tells.</summary>
internal sealed class FakeRegisterEffects : IRegisterEffects
{
    public List<(uint Row, long Stream, FaultCode Code)> Closed { get; } = [];

    public List<(uint Row, uint Epoch, uint Pid)> Watched { get; } = [];

    public List<uint> Unwatched { get; } = [];

    public List<(uint Row, WorkerHealth After, WorkerReason Reason)> Changes { get; } = [];

    public int Brakes { get; private set; }

    public List<long> Lateness { get; } = [];

    public int Full { get; private set; }

    public void CloseStream(uint row, long stream, Fault fault) => Closed.Add((row, stream, fault.Code));

    /// <summary>Confirmations between heartbeats: row and number.</summary>
    public List<(uint Row, ulong Number)> Confirmed { get; } = [];

    public void Confirm(uint row, long stream, ulong number) => Confirmed.Add((row, number));

    public void WatchProcess(uint row, uint epoch, uint pid, ulong pidStart) => Watched.Add((row, epoch, pid));

    public void UnwatchProcess(uint row) => Unwatched.Add(row);

    public void HealthChanged(uint row, WorkerHealth before, WorkerHealth after, WorkerReason reason) =>
        Changes.Add((row, after, reason));

    public void BrakePulled(int suspects, int workers, uint holdMs) => Brakes++;

    public void WasLate(long lateMs) => Lateness.Add(lateMs);

    public void RegionFull(uint row, int bytes) => Full++;
}
