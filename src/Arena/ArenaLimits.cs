// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena;

/// <summary>
/// Sizes of an arena, fixed when it is made. All of it is reserved at once. A task costs 128 bytes plus its payload and
/// result; rings add 24 bytes a task.
/// </summary>
internal sealed record ArenaLimits
{
    /// <summary>Tasks that exist at once, 1,024 to 2^28 - 1. Default 262,144.</summary>
    public uint TasksMax { get; init; } = 262_144;

    /// <summary>Worker registrations, 16 to 65,535. Default 1,024.</summary>
    public uint WorkersMax { get; init; } = 1_024;

    /// <summary>Client sessions, 16 to 65,535. Default 1,024.</summary>
    public uint ClientsMax { get; init; } = 1_024;

    /// <summary>Payload bytes, 1 MiB to 128 GiB. Default 128 MiB.</summary>
    public long PayloadBytesMax { get; init; } = 128L << 20;

    /// <summary>Result bytes, 8 MiB to 128 GiB. Default 128 MiB.</summary>
    public long ResultBytesMax { get; init; } = 128L << 20;
}
