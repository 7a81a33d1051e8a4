// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Spill;

/// <summary>
/// Where the tasks of an extent are. Slots that name an extent in another state than Held or Released are copies that
/// count for nothing: of an extent that has just been written out, or is just being read in.
/// </summary>
internal enum SpillState : uint
{
    /// <summary>No tasks; the extent may be used again under the next generation.</summary>
    Free = 0,

    /// <summary>In slots, Accepted, waiting behind the earlier tasks of their class.</summary>
    Held = 1,

    /// <summary>In a file, waiting the same way.</summary>
    Spilled = 2,

    /// <summary>In slots, on their way as any other task.</summary>
    Released = 3,
}
