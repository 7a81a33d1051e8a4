// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>Which of the workers that have room gets a task.</summary>
internal enum Placement : byte
{
    /// <summary>The one that has the least left afterwards, so that wide tasks find room elsewhere.</summary>
    Pack = 0,

    /// <summary>The one that has the most left afterwards.</summary>
    Spread = 1,
}
