// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

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

    /// <summary>Attempts given out, and results taken that were successes.</summary>
    public int Dispatched;
    public int Succeeded;

    /// <summary>Attempts whose failure was taken.</summary>
    public HashSet<uint> Failures = [];

    /// <summary>How often memory had been lost when it was given out last.</summary>
    public int Era;

    /// <summary>The attempt whose failure was taken last.</summary>
    public uint LastFailed;
}
