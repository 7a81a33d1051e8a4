// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace Muster.Arena.Tables;

/// <summary>
/// One worker registration, 512 bytes in the arena. The Register writes every word but those marked S, which are the
/// Scheduler's. Texts are UTF-8, zero-terminated, and written before <see cref="Health"/> leaves Free.
/// </summary>
[StructLayout(LayoutKind.Explicit, Size = SizeBytes)]
internal unsafe struct WorkerRow
{
    public const int SizeBytes = 512;
    public const int NameBytes = 64;
    public const int HostBytes = 64;
    public const int HandlerBitsBytes = 128;
    public const int VersionBytes = 32;

    /// <summary>A <see cref="WorkerHealth"/>.</summary>
    [FieldOffset(0)] public uint Health;

    /// <summary>Rises whenever the row's worker is fenced or replaced; worker id = row + (epoch &lt;&lt; 32).</summary>
    [FieldOffset(4)] public uint Epoch;
    [FieldOffset(8)] public ulong Nonce;
    [FieldOffset(16)] public uint Slots;
    [FieldOffset(20)] public uint Pid;
    [FieldOffset(24)] public ulong PidStart;

    /// <summary>Attempts ended on this worker since it started, as it says itself; only grows.</summary>
    [FieldOffset(32)] public ulong EndedTotal;

    /// <summary>Results accepted from it.</summary>
    [FieldOffset(40)] public ulong FinishedTotal;

    /// <summary>CLOCK_MONOTONIC ms of the last heartbeat.</summary>
    [FieldOffset(48)] public long LastBeatMs;

    /// <summary>Wall clock of the last change of health, microseconds since 1970.</summary>
    [FieldOffset(56)] public long HealthSinceUnixUs;

    /// <summary>A <see cref="WorkerReason"/>.</summary>
    [FieldOffset(64)] public uint HealthReason;

    /// <summary>Attempts the worker said it runs.</summary>
    [FieldOffset(68)] public uint Running;
    [FieldOffset(72)] public uint CpuMilli;

    /// <summary>Number of the identity that registered it; 0: the cell's own user. No other goes on with it.</summary>
    [FieldOffset(76)] public uint Owner;
    [FieldOffset(80)] public ulong MemoryBytes;
    [FieldOffset(88)] public long ClockOffsetUs;

    /// <summary>S. Attempts sent and not ended, as the Scheduler sees it; for people.</summary>
    [FieldOffset(96)] public uint InFlight;

    /// <summary>S. 1 while its Dispatch stream is open.</summary>
    [FieldOffset(100)] public uint Dispatching;

    /// <summary>The highest result number taken from it.</summary>
    [FieldOffset(104)] public ulong ResultNumber;
    [FieldOffset(112)] public ulong PoolDelayUs;
    [FieldOffset(120)] public ulong GcPauseTotalUs;

    [FieldOffset(128)] public fixed byte Name[NameBytes];
    [FieldOffset(192)] public fixed byte Host[HostBytes];

    /// <summary>One bit per index of the handler table.</summary>
    [FieldOffset(256)] public fixed byte HandlerBits[HandlerBitsBytes];
    [FieldOffset(384)] public fixed byte Version[VersionBytes];
}
