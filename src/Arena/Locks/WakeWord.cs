// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Locks;

/// <summary>
/// Lets a role sleep until another has something for it: a futex word in the arena, with a brief adaptive spin before
/// the sleep. A signal costs a fence and a load when nobody sleeps. Any number of signallers, one waiter.
/// </summary>
internal sealed class WakeWord
{
    /// <summary>Wakes the waiter, now or at its next wait. Publish the work before.</summary>
    public void Signal() => throw new NotImplementedException();

    /// <summary>
    /// Waits until signalled since the last return, or <paramref name="timeoutMs"/> passed. The caller then drains
    /// all its inputs until empty. Spurious returns are possible.
    /// </summary>
    /// <returns>Whether it was signalled.</returns>
    public bool Wait(int timeoutMs) => throw new NotImplementedException();
}
