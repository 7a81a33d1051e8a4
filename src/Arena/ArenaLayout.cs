// SPDX-License-Identifier: Apache-2.0
using System;
using System.Numerics;
using Muster.Arena.Spill;

namespace Muster.Arena;

/// <summary>
/// Where everything lies in an arena of given limits: pure arithmetic, the same in every process, so the file holds the
/// limits and no offsets. Small shared words come first, each on a cache line of its own; the big parts follow, each on
/// its own pages. A part begins with its own header where it has words besides its rows.
/// </summary>
internal sealed class ArenaLayout
{
    public const int PageBytes = 4096;

    /// <summary>
    /// Two cache lines: processors fetch lines in pairs, so words of different writers keep this distance.
    /// </summary>
    public const int LineBytes = 128;

    public const int HeaderBytes = PageBytes;
    public const int ProofWordsOffset = HeaderBytes / 2;
    public const int Roles = 3;
    public const int RoleRowBytes = 512;

    /// <summary>
    /// Counters by number of <see cref="CellCounter"/>: 32 of the PLM, then 16 each, so each role has its lines.
    /// </summary>
    public const int Counters = 64;

    public const int WakeWordBytes = LineBytes;
    public const int LockBytes = LineBytes;

    /// <summary>First page of the task table: its own words (high water).</summary>
    public const int TaskTableHeaderBytes = PageBytes;
    public const int TaskSlotBytes = 128;

    /// <summary>First page of the task heap: its own words and the bitmap of classes that have ready tasks.</summary>
    public const int HeapHeaderBytes = PageBytes;
    public const int HeapClasses = 4096;
    public const int HeapClassBytes = 64;

    /// <summary>
    /// First page of the worker table: its own words; the bitmap of changed rows and the rows follow.
    /// </summary>
    public const int WorkerTableHeaderBytes = PageBytes;
    public const int WorkerRowBytes = 512;
    public const int ClientTableHeaderBytes = LineBytes;
    public const int ClientRowBytes = 128;
    public const int KeyTableHeaderBytes = LineBytes;
    public const int KeyRowBytes = 64;
    public const int HandlerTableHeaderBytes = LineBytes;
    public const int HandlersMax = 1024;
    public const int HandlerRowBytes = 128;
    public const int ProfilesMax = 4096;
    public const int ProfileRowBytes = 512;

    /// <summary>A power of two.</summary>
    public const int ProgressRowsMax = 4096;
    public const int ProgressRowBytes = 256;

    /// <summary>Head on the first pair of lines, tail on the second.</summary>
    public const int RingHeaderBytes = 2 * LineBytes;
    public const int RingRecordBytes = 16;

    /// <summary>Beyond it a ring's user waits for room; see <see cref="RingCapacity"/>.</summary>
    public const uint RingRecordsMax = 1 << 16;

    private long _end;

    private ArenaLayout(ArenaLimits limits)
    {
        RingCapacity = BitOperations.RoundUpToPowerOf2(
            Math.Min(limits.TasksMax + limits.WorkersMax, RingRecordsMax));
        Header = Take(HeaderBytes, PageBytes);
        RoleTable = Take(Roles * RoleRowBytes, LineBytes);
        CounterWords = Take(Counters * sizeof(ulong), LineBytes);
        WakeWords = Take(Roles * WakeWordBytes, LineBytes);
        HeapLock = Take(LockBytes, LineBytes);
        NamesLock = Take(LockBytes, LineBytes);
        Tasks = Take(TaskTableHeaderBytes + ((long)limits.TasksMax * TaskSlotBytes), PageBytes);
        Heap = Take(HeapHeaderBytes + (HeapClasses * HeapClassBytes), PageBytes);
        ChangedBitmapBytes = RoundUp((limits.WorkersMax + 7L) / 8, LineBytes);
        Workers = Take(
            WorkerTableHeaderBytes + ChangedBitmapBytes + ((long)limits.WorkersMax * WorkerRowBytes), PageBytes);
        Clients = Take(ClientTableHeaderBytes + ((long)limits.ClientsMax * ClientRowBytes), PageBytes);
        Keys = Take(KeyTableHeaderBytes + ((long)limits.KeysMax * KeyRowBytes), PageBytes);
        Handlers = Take(
            HandlerTableHeaderBytes + (HandlersMax * HandlerRowBytes) + (HandlersMax * sizeof(float)), PageBytes);
        Profiles = Take(ProfilesMax * ProfileRowBytes, PageBytes);
        Progress = Take(ProgressRowsMax * ProgressRowBytes, PageBytes);
        var ringBytes = RingHeaderBytes + ((long)RingCapacity * RingRecordBytes);
        Finished = Take(ringBytes, PageBytes);
        Cancels = Take(ringBytes, PageBytes);
        Freed = Take(ringBytes, PageBytes);
        Payloads = Take(limits.PayloadBytesMax, PageBytes);
        Results = Take(limits.ResultBytesMax, PageBytes);
        SpillHeader = Take(SpillTable.HeaderBytes, PageBytes);
        ReservedBytes = RoundUp(_end, PageBytes);
        SpillExtents = limits.SpilledMax / SpillTable.ExtentTasksMax;
        SpillRows = Take((long)SpillExtents * SpillRow.SizeBytes, PageBytes);
        SpillMap = Take(SpillExtents * SpillTable.MapBytesPerExtent, PageBytes);
        TotalBytes = RoundUp(_end, PageBytes);
    }

    public ArenaPart Header { get; }

    public ArenaPart RoleTable { get; }

    public ArenaPart CounterWords { get; }

    public ArenaPart WakeWords { get; }

    public ArenaPart HeapLock { get; }

    public ArenaPart NamesLock { get; }

    public ArenaPart Tasks { get; }

    public ArenaPart Heap { get; }

    /// <summary>Header page, bitmap of <see cref="ChangedBitmapBytes"/>, rows.</summary>
    public ArenaPart Workers { get; }

    public ArenaPart Clients { get; }

    public ArenaPart Keys { get; }

    public ArenaPart Handlers { get; }

    public ArenaPart Profiles { get; }

    public ArenaPart Progress { get; }

    public ArenaPart Finished { get; }

    public ArenaPart Cancels { get; }

    public ArenaPart Freed { get; }

    /// <summary>The first 64 bytes (unit 0, which no block can be) are the region's own words.</summary>
    public ArenaPart Payloads { get; }

    /// <summary>As <see cref="Payloads"/>.</summary>
    public ArenaPart Results { get; }

    public ArenaPart SpillHeader { get; }

    /// <summary>Not reserved with the rest: see <see cref="SpillTable.TryReserve"/>.</summary>
    public ArenaPart SpillRows { get; }

    /// <summary>As <see cref="SpillRows"/>.</summary>
    public ArenaPart SpillMap { get; }

    public uint SpillExtents { get; }

    /// <summary>
    /// Records that each ring holds, a power of two: every task and every worker once, but not more than one mebibyte
    /// of them. Whoever finds a ring full keeps the record and tries again; the slots are the truth.
    /// </summary>
    public uint RingCapacity { get; }

    public long ChangedBitmapBytes { get; }

    /// <summary>What is reserved when the arena is made, whole pages; the rest is touched page by page.</summary>
    public long ReservedBytes { get; }

    /// <summary>Size of the whole arena, whole pages.</summary>
    public long TotalBytes { get; }

    public static ArenaLayout Of(ArenaLimits limits) => new(limits);

    private static long RoundUp(long value, long step) => (value + step - 1) / step * step;

    private ArenaPart Take(long bytes, long alignment)
    {
        var part = new ArenaPart(RoundUp(_end, alignment), bytes);
        _end = part.End;
        return part;
    }
}
