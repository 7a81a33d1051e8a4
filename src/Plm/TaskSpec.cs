// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// What the tasks of a batch have in common, checked and with defaults filled in. Made by <see cref="TaskRules"/>.
/// </summary>
internal readonly record struct TaskSpec
{
    /// <summary>Class in the task heap.</summary>
    public ushort Class { get; init; }

    /// <summary>Index into the handler table.</summary>
    public ushort Handler { get; init; }

    public byte Priority { get; init; }

    public byte AttemptsMax { get; init; }

    /// <summary>0: no limit.</summary>
    public uint TimeoutMs { get; init; }

    /// <summary>0: never.</summary>
    public uint ExpiresAfterMs { get; init; }

    public uint RetentionMs { get; init; }

    public uint RetryDelayMs { get; init; }

    /// <summary>0: as the core's options say.</summary>
    public uint KeyRetentionMs { get; init; }

    /// <summary>Number of the identity that submits; 0: the cell's own user.</summary>
    public ushort Owner { get; init; }

    /// <summary>As on the wire.</summary>
    public byte Durability { get; init; }
}
