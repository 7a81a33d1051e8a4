// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// Bits of <see cref="Arena.Tables.TaskSlot.Flags"/> above those that other roles know. They
/// tell a successor how far the start, the publishing and the freeing of a task had come.
/// </summary>
internal static class SlotFlags
{
    /// <summary>How the task ended is as durable as was promised: everybody may hear of it.</summary>
    public const byte Published = 16;

    /// <summary>The task came back from the journal ended: its payload's block holds the result.</summary>
    public const byte ResultInPayload = 32;

    /// <summary>
    /// A task that may start once only may start: the journal says so, or is about to. Set in Accepted.
    /// </summary>
    public const byte Granted = 64;

    /// <summary>The client has the result for good, or its retention ended: never deliver it again.</summary>
    public const byte Released = 4;

    /// <summary>
    /// Nobody will ask for the task once it has ended: it is then forgotten at once, whatever its profile says.
    /// </summary>
    public const byte Unretained = 2;

    /// <summary>The record that gives the result block back may be in the ring already: never write it again.</summary>
    public const byte Returned = 8;
}
