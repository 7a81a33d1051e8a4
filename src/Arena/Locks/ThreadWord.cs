// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using Muster.Arena.Native;

namespace Muster.Arena.Locks;

/// <summary>
/// Lets one thread sleep until another of the same process has something for it, with one system call at each end: a
/// pulse of the runtime's monitor takes up to five, and wakes the sleeper a second time for the lock. Any number of
/// signallers, one waiter; it does not spin.
/// <para>
/// The protocol is that of <see cref="WakeWord"/>: publish the work, then <see cref="Signal"/>; <see cref="Wait"/>
/// returns, then read the work. Both begin with an exchange, a full fence, so a signal is never lost.
/// </para>
/// </summary>
internal sealed class ThreadWord
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Sleeping = 2;

    // Pinned: the kernel knows the word by its address.
    private readonly int[] _word = GC.AllocateArray<int>(1, pinned: true);

    /// <summary>Wakes the waiter, now or at its next wait.</summary>
    public void Signal()
    {
        if (Interlocked.Exchange(ref _word[0], Signalled) == Sleeping)
        {
            Futex.WakePrivate(ref _word[0]);
        }
    }

    /// <summary>Waits until signalled since the last return.</summary>
    public void Wait()
    {
        while (Interlocked.Exchange(ref _word[0], Idle) != Signalled)
        {
            if (Interlocked.CompareExchange(ref _word[0], Sleeping, Idle) == Idle)
            {
                Futex.WaitPrivate(ref _word[0], Sleeping);
            }
        }
    }
}
