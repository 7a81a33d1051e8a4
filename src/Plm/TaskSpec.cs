// SPDX-License-Identifier: Apache-2.0
using Muster.Arena.Tables;

namespace Muster.Plm;

/// <summary>
/// What the tasks of a batch have in common, checked and with defaults filled in: a row of the table of profiles, and
/// of what it says that which a submission itself needs. Made by <see cref="TaskRules"/>.
/// </summary>
internal readonly record struct TaskSpec
{
    /// <summary>Row in the table of profiles.</summary>
    public ushort Profile { get; init; }

    /// <summary>Class in the task heap.</summary>
    public ushort Class { get; init; }

    /// <summary>Index into the handler table.</summary>
    public ushort Handler { get; init; }

    /// <summary>As on the wire.</summary>
    public byte Durability { get; init; }

    /// <summary>0: never.</summary>
    public uint ExpiresAfterMs { get; init; }

    /// <summary>From submission to end; 0: no limit.</summary>
    public uint TotalTimeoutMs { get; init; }

    /// <summary>0: as the core's options say.</summary>
    public uint KeyRetentionMs { get; init; }

    /// <summary>Number of the identity that submits; 0: the cell's own user.</summary>
    public ushort Owner { get; init; }

    public static TaskSpec Of(ushort profile, in ProfileRow row) => new()
    {
        Profile = profile,
        Class = row.Class,
        Handler = row.Handler,
        Durability = row.Durability,
        ExpiresAfterMs = row.ExpiresAfterMs,
        TotalTimeoutMs = row.TotalTimeoutMs,
        KeyRetentionMs = row.KeyRetentionMs,
    };
}
