// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm.Spill;

/// <summary>The PLM's local words about one extent.</summary>
internal struct ExtentLinks
{
    /// <summary>The next one of its class's queue, plus one; 0: none.</summary>
    public uint Next;

    /// <summary>Its tasks that are in slots.</summary>
    public int InSlots;

    /// <summary>Tasks in the body that is being written.</summary>
    public int Packed;

    /// <summary>Its body is on its way to the disk.</summary>
    public bool IsWriting;

    /// <summary>In the queue of those to write, under its present generation.</summary>
    public bool IsQueued;

    /// <summary>Is to be read in before its turn, because one of its tasks is to end.</summary>
    public bool IsWanted;

    /// <summary>Begin of the last snapshot that told its tasks.</summary>
    public ulong ToldIn;
}
