// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Runtime;

/// <summary>The worker's load as it goes into a beat; see muster.v1.WorkerLoad.</summary>
internal readonly record struct LoadSample(
    uint CpuMilli, ulong MemoryBytes, ulong PoolDelayUs, ulong GcPauseTotalUs, long ClockUnixUs);
