// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>
/// What the core asks of its host besides answering its callers. Called inside a turn; must not block.
/// </summary>
internal interface IPlmEffects
{
    /// <summary>Tasks became ready or attempts are to be cancelled: wake the Scheduler once the turn is over.</summary>
    void SignalScheduler();

    /// <summary>The ring of freed results runs full: wake the Register so that it empties it.</summary>
    void SignalRegister();
}
