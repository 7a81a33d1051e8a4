// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>What the lines so far say of one task.</summary>
internal sealed class TaskStory
{
    public ulong Task;

    /// <summary>0 while nobody has said which submission it was.</summary>
    public ulong Key;

    /// <summary>The attempt that counts, and who has it.</summary>
    public uint Attempt;
    public ulong Registration;

    /// <summary>The highest attempt that was ever given out.</summary>
    public uint Highest;

    /// <summary>Attempts given out, taken with a failure, and taken with a success.</summary>
    public int Dispatched;
    public int Failed;
    public int Succeeded;

    /// <summary>The attempt whose failure was taken last.</summary>
    public uint LastFailed;
}
