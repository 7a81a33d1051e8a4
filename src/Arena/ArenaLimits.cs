// SPDX-License-Identifier: Apache-2.0
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Arena;

/// <summary>
/// Sizes of an arena, fixed when it is made. All of it is reserved at once. A task costs 128 bytes plus its payload and
/// result; the three rings have at most 1 MiB each.
/// </summary>
internal sealed record ArenaLimits
{
    public const uint TasksMaxMin = 1_024;
    public const uint TasksMaxMax = (TaskId.SlotMax >> 1) + 1;
    public const uint SpilledMaxMax = 1u << 27;
    public const uint RowsMin = 16;
    public const uint RowsMax = 65_535;
    public const uint KeysMaxMin = 16;
    public const uint KeysMaxMax = 1 << 24;
    public const long PayloadBytesMin = 1L << 20;

    /// <summary>Two of the largest results and change: one being delivered, one arriving.</summary>
    public const long ResultBytesMin = 8L << 20;

    /// <summary>A block is a 32-bit count of 16-byte units.</summary>
    public const long RegionBytesMax = 64L << 30;

    /// <summary>The least that <see cref="Within"/> can do anything with.</summary>
    public const long MemoryBytesMin = 128L << 20;

    /// <summary>What three roles take for themselves, with room to spare.</summary>
    private const long RolesBytes = 384L << 20;

    private const long PageBytes = 4_096;

    /// <summary>Halvings of the defaults that may be tried before a small /dev/shm is refused.</summary>
    private const int HalvingsMax = 5;

    /// <summary>Tasks that exist in it at once, 1,024 to 134,217,728. Default 262,144.</summary>
    public uint TasksMax { get; init; } = 262_144;

    /// <summary>
    /// Ids for tasks that may wait on disk because the arena is full, 0 (none ever do) to 134,217,728, in steps of
    /// 1,024. Costs 4.3 bytes of the arena for each task of the deepest backlog so far. Default 67,108,864.
    /// </summary>
    public uint SpilledMax { get; init; } = 1u << 26;

    /// <summary>Worker registrations, 16 to 65,535. Default 1,024.</summary>
    public uint WorkersMax { get; init; } = 1_024;

    /// <summary>Client sessions, 16 to 65,535. Default 1,024.</summary>
    public uint ClientsMax { get; init; } = 1_024;

    /// <summary>
    /// Idempotency keys remembered at once, 16 to 16,777,216; each takes 64 bytes. Default 65,536.
    /// </summary>
    public uint KeysMax { get; init; } = 65_536;

    /// <summary>Payload bytes, 1 MiB to 64 GiB. Default 128 MiB.</summary>
    public long PayloadBytesMax { get; init; } = 128L << 20;

    /// <summary>Result bytes, 8 MiB to 64 GiB. Default 128 MiB.</summary>
    public long ResultBytesMax { get; init; } = 128L << 20;

    /// <summary>Refuses sizes outside their ranges.</summary>
    public Fault Check()
    {
        if (TasksMax is < TasksMaxMin or > TasksMaxMax)
        {
            return Wrong(nameof(TasksMax), TasksMax, TasksMaxMin, TasksMaxMax);
        }

        if (SpilledMax > SpilledMaxMax)
        {
            return Wrong(nameof(SpilledMax), SpilledMax, 0, SpilledMaxMax);
        }

        if (WorkersMax is < RowsMin or > RowsMax)
        {
            return Wrong(nameof(WorkersMax), WorkersMax, RowsMin, RowsMax);
        }

        if (ClientsMax is < RowsMin or > RowsMax)
        {
            return Wrong(nameof(ClientsMax), ClientsMax, RowsMin, RowsMax);
        }

        if (KeysMax is < KeysMaxMin or > KeysMaxMax)
        {
            return Wrong(nameof(KeysMax), KeysMax, KeysMaxMin, KeysMaxMax);
        }

        if (PayloadBytesMax is < PayloadBytesMin or > RegionBytesMax)
        {
            return Wrong(nameof(PayloadBytesMax), PayloadBytesMax, PayloadBytesMin, RegionBytesMax);
        }

        return ResultBytesMax is < ResultBytesMin or > RegionBytesMax
            ? Wrong(nameof(ResultBytesMax), ResultBytesMax, ResultBytesMin, RegionBytesMax)
            : Fault.None;
    }

    /// <summary>
    /// The largest of the defaults and their halves that an arena of at most <paramref name="bytes"/> can hold; null
    /// when none can. Docker's 64 MiB /dev/shm gets 32,768 tasks, 8,192 idempotency keys and 16 MiB each of payloads
    /// and results: 44 MiB.
    /// </summary>
    public static ArenaLimits? DefaultsWithin(long bytes)
    {
        var defaults = new ArenaLimits();
        for (var halvings = 0; halvings <= HalvingsMax; halvings++)
        {
            var limits = defaults with
            {
                TasksMax = defaults.TasksMax >> halvings,
                KeysMax = defaults.KeysMax >> halvings,
                PayloadBytesMax = defaults.PayloadBytesMax >> halvings,
                ResultBytesMax = long.Max(defaults.ResultBytesMax >> halvings, ResultBytesMin),
            };
            if (ArenaLayout.Of(limits).ReservedBytes <= bytes)
            {
                return limits;
            }
        }

        return null;
    }

    /// <summary>
    /// An arena for a cell that shall take no more than this, its roles' own memory and the ids of tasks on disk
    /// included: two thirds of what is left after 384 MiB, of which payloads and results get three eighths each and
    /// slots the rest. At least the smallest of <see cref="DefaultsWithin"/>.
    /// </summary>
    public static ArenaLimits Within(long memoryBytes)
    {
        var bytes = long.Max(memoryBytes - RolesBytes, memoryBytes / 4) / 3 * 2;
        var blocks = long.Clamp(bytes / 8 * 3 / PageBytes * PageBytes, ResultBytesMin, RegionBytesMax);
        var defaults = new ArenaLimits();
        var tasks = (uint)long.Clamp(bytes / 4 / ArenaLayout.TaskSlotBytes, TasksMaxMin, TasksMaxMax);
        return defaults with
        {
            TasksMax = tasks,
            KeysMax = uint.Min(defaults.KeysMax, tasks),
            PayloadBytesMax = blocks,
            ResultBytesMax = blocks,
        };
    }

    private static Fault Wrong(string name, long value, long min, long max) =>
        new(FaultCode.InvalidArgument, $"{name} is {value}; it must be {min} to {max}");
}
