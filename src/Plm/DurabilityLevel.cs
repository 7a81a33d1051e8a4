// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>What an acknowledgement survives. The values are those of the wire and of slots.</summary>
internal static class DurabilityLevel
{
    /// <summary>Left to the cell: durable where it has a journal, else memory.</summary>
    public const byte Unspecified = 0;

    /// <summary>The death of every process, while the arena exists.</summary>
    public const byte Memory = 1;

    /// <summary>As memory, and the loss of the arena; of a power loss all but the last moments.</summary>
    public const byte Relaxed = 2;

    /// <summary>Power loss.</summary>
    public const byte Durable = 3;

    public const byte Replicated = 4;
}
