// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena.Locks;

/// <summary>
/// Lets a role sleep until another has something for it: a futex word in the arena, with a brief adaptive spin before
/// the sleep. A signal costs a fence and a load when it was signalled already, one exchange when the waiter is busy,
/// and a system call only when it sleeps. Any number of signallers, one waiter.
/// <para>
/// Protocol. The word is Idle, Signalled or Sleeping.
/// <list type="bullet">
/// <item>Signal: publish the work; <b>full fence</b>; if the word is Signalled, done; otherwise exchange it to
/// Signalled, and wake the futex if it was Sleeping.</item>
/// <item>Wait: exchange the word to Idle (a <b>full fence</b>); if it was Signalled, return and read the work.
/// Otherwise compare-and-swap Idle to Sleeping: this re-check fails when a signal came in between. Then futex-wait
/// while it is Sleeping, which the kernel checks once more.</item>
/// </list>
/// The fences pair: the signaller writes work, then reads the word; the waiter writes the word, then reads work.
/// Without both, each may miss the other's write, and the work lies there while the waiter sleeps. A waiter that died
/// Sleeping costs one needless wake-up. A signal is never lost to a new waiter, which begins by exchanging.
/// </para>
/// <para>
/// Spin: at most 30 us, with the processor given away between looks, and only while recent waits lasted less than that
/// on average; so an idle role does not spin at all. A wake-up through the kernel costs 7-10 us there and back, one met
/// spinning less than 1 us.
/// </para>
/// </summary>
internal sealed unsafe class WakeWord
{
    internal const int Idle = 0;
    internal const int Signalled = 1;
    internal const int Sleeping = 2;

    private const long SpinNsMax = 30_000;

    /// <summary>
    /// A long wait counts as this much, so that a burst after idleness brings the spin back within a few waits.
    /// </summary>
    private const long AverageNsMax = 20 * SpinNsMax;
    private const int LooksPerYield = 32;

    // Keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly int* _word;

    // The waiter's own; moving average of how long it waited.
    private long _averageNs = AverageNsMax;

    public WakeWord(ArenaMemory memory, long offset)
    {
        _word = (int*)memory.At(offset, sizeof(int));
        _memory = memory;
    }

    /// <summary>Wakes the waiter, now or at its next wait. Publish the work before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Signal()
    {
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref *_word) != Signalled)
        {
            SignalUnmarked();
        }
    }

    /// <summary>
    /// Waits until signalled since the last return, or <paramref name="timeoutMs"/> passed. The caller then drains
    /// all its inputs until empty. Spurious returns are possible.
    /// </summary>
    /// <returns>Whether it was signalled.</returns>
    public bool Wait(int timeoutMs)
    {
        Invariant.That(!_memory.IsReadOnly && timeoutMs >= 0);
        if (Interlocked.Exchange(ref *_word, Idle) == Signalled)
        {
            Remember(0);
            return true;
        }

        if (timeoutMs == 0)
        {
            return false;
        }

        var start = Stopwatch.GetTimestamp();
        var signalled = Spin(start) || Sleep(start + (timeoutMs * 1_000_000L));
        Remember(Stopwatch.GetTimestamp() - start);
        return signalled;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void SignalUnmarked()
    {
        Invariant.That(!_memory.IsReadOnly);
        if (Interlocked.Exchange(ref *_word, Signalled) == Sleeping)
        {
            // All: a waiter that was stopped and replaced must not swallow the one wake-up.
            Futex.WakeAll(ref *_word);
        }
    }

    private bool Spin(long start)
    {
        if (_averageNs >= SpinNsMax)
        {
            return false;
        }

        do
        {
            for (var look = 0; look < LooksPerYield; look++)
            {
                if (Volatile.Read(ref *_word) == Signalled)
                {
                    Interlocked.Exchange(ref *_word, Idle);
                    return true;
                }

                Thread.SpinWait(1);
            }

            Thread.Yield();
        }
        while (Stopwatch.GetTimestamp() - start < SpinNsMax);
        return false;
    }

    private bool Sleep(long deadlineNs)
    {
        if (Interlocked.CompareExchange(ref *_word, Sleeping, Idle) == Idle)
        {
            int errno;
            do
            {
                errno = Futex.Wait(ref *_word, Sleeping, deadlineNs);
            }
            while (errno == Errno.EINTR);
        }

        return Interlocked.Exchange(ref *_word, Idle) == Signalled;
    }

    private void Remember(long waitedNs) =>
        _averageNs = ((3 * _averageNs) + Math.Min(waitedNs, AverageNsMax)) / 4;
}
