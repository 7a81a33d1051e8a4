// SPDX-License-Identifier: Apache-2.0
namespace Muster.Register;

/// <summary>A worker's load as it measures it itself; shown to people, used for nothing else.</summary>
internal readonly record struct LoadFacts(
    uint CpuMilli, ulong MemoryBytes, ulong PoolDelayUs, ulong GcPauseTotalUs, long ClockUnixUs);
