// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>One call that waits for the end of a task. Called inside a turn, at most once; must not block.</summary>
internal interface ITaskAwaiter
{
    /// <summary>
    /// The task in this slot has ended. Its result is copied out at once: the slot may be freed later.
    /// </summary>
    void Resolve(uint slot, PlmTime now);
}
