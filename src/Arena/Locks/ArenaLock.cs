// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Arena.Locks;

/// <summary>
/// A robust, timed mutex in the arena that works across processes. A holder that died is noticed at once and the next
/// holder repairs; a holder that is stopped is killed after 20 ms and then counts as dead. Never hold it over user
/// code, an allocation or an await: the owner is a thread.
/// <para>
/// Protocol. The words below are written by the holder alone, but for Killed.
/// <list type="bullet">
/// <item>Enter: mutex (acquire), read Dirty, Entries+1, Dirty=1, <b>write barrier</b>, then the state under the lock.
/// The barrier keeps every change of that state behind Dirty=1, so a holder that dies amid a change leaves Dirty
/// set.</item>
/// <item>Leave: Dirty=0 (release: after every change), mutex (release). A holder that was told to repair and did not
/// say
/// <see cref="Scope.MarkRepaired"/> leaves Dirty set, and the next one is told again.</item>
/// <item>Death: the kernel marks the mutex when the holding thread ends (EOWNERDEAD to the next). It is made consistent
/// at once, for Dirty keeps what matters; so ENOTRECOVERABLE cannot happen.</item>
/// <item>Waiting: 20 ms at a time. The holder is the thread id in the mutex's futex word, which the kernel's robust
/// interface keeps there: set in the same instruction that takes the lock, so it cannot name an innocent. If that id,
/// Entries and Progress are all unchanged after a wait, the holder did not answer. If its process is stopped it is
/// killed now; if it runs, it may be short of processor time or in a long repair, so it is killed only after a second.
/// Only a process that the role table names, by pid and start time, is ever killed; never this one. Whoever else does
/// not let go within 5 s is a bug of ours: an invariant failure, not a longer wait.</item>
/// </list>
/// </para>
/// </summary>
internal sealed unsafe class ArenaLock
{
    private const long TurnNs = 20_000_000;
    private const long PatienceNs = 1_000_000_000;
    private const long HopelessNs = 5_000_000_000;

    // Keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly byte* _mutex;
    private readonly Words* _words;
    private readonly RoleTable? _roles;

    // Belongs to the holding thread.
    private bool _repairDue;

    // Of this process's waiters; two that write it at once may count one holder twice, which only people read.
    private Sight _lastKilled;

    /// <summary>Looks at the lock at an offset. Without roles nobody is ever killed for it.</summary>
    public ArenaLock(ArenaMemory memory, long offset, RoleTable? roles = null)
    {
        var start = memory.At(offset, ArenaLayout.LockBytes);
        _mutex = start;
        _words = (Words*)(start + PthreadMutex.Bytes);
        _roles = roles;
        _memory = memory;
    }

    /// <summary>Holders that were killed because they did not answer.</summary>
    public uint Killed => Volatile.Read(ref _words->Killed);

    /// <summary>The words after the mutex; with it they fill one cache line.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    internal struct Words
    {
        [FieldOffset(0)] public uint Dirty;
        [FieldOffset(4)] public uint Entries;
        [FieldOffset(8)] public uint Progress;
        [FieldOffset(12)] public uint Killed;
    }

    /// <summary>Makes the lock in a new arena.</summary>
    public void Initialise() => PthreadMutex.Initialise(_mutex);

    /// <summary>Takes the lock. The scope says whether the state under the lock may be half changed.</summary>
    public Scope Enter()
    {
        Invariant.That(!_memory.IsReadOnly);
        var result = PthreadMutex.pthread_mutex_trylock(_mutex);
        if (result != 0)
        {
            result = EnterContended(result);
        }

        _repairDue = result != 0 || _words->Dirty != 0;
        _words->Entries++;
        _words->Dirty = 1;
        Volatile.WriteBarrier();
        Seam.LockTaken();
        return new Scope(this);
    }

    private void Leave()
    {
        Seam.LockLeft();
        if (!_repairDue)
        {
            Volatile.Write(ref _words->Dirty, 0);
        }

        Invariant.That(PthreadMutex.pthread_mutex_unlock(_mutex) == 0);
    }

    /// <returns>0, or EOWNERDEAD with the mutex made consistent.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int EnterContended(int result)
    {
        var seen = Look();
        var unansweredNs = 0L;
        while (result == Errno.EBUSY || result == Errno.ETIMEDOUT)
        {
            var turnStart = Stopwatch.GetTimestamp();
            var deadline = Timespec.OfNanoseconds(turnStart + TurnNs);
            result = PthreadMutex.pthread_mutex_clocklock(_mutex, Timespec.CLOCK_MONOTONIC, &deadline);
            if (result != Errno.ETIMEDOUT)
            {
                break;
            }

            var now = Look();
            if (now != seen)
            {
                seen = now;
                unansweredNs = 0;
                continue;
            }

            // A turn that lasted longer is a waiter that was stopped itself, maybe together with the holder: that time
            // says nothing against the holder.
            unansweredNs += Math.Min(Stopwatch.GetTimestamp() - turnStart, 2 * TurnNs);
            JudgeHolder(seen, unansweredNs);
        }

        if (result == Errno.EOWNERDEAD)
        {
            Invariant.That(PthreadMutex.pthread_mutex_consistent(_mutex) == 0);
            return result;
        }

        // Anything else, such as EDEADLK: this thread holds the lock already.
        Invariant.That(result == 0);
        return 0;
    }

    private Sight Look() => new(
        Volatile.Read(ref *(uint*)_mutex) & Futex.FUTEX_TID_MASK,
        Volatile.Read(ref _words->Entries),
        Volatile.Read(ref _words->Progress));

    private void JudgeHolder(Sight seen, long unansweredNs)
    {
        // No thread id: somebody let go just now. No process: it died just now, and the kernel will say so.
        if (seen.Thread != 0 && ProcStat.TryProcessOf(seen.Thread, out var pid) && pid != (uint)Environment.ProcessId
            && _roles is not null && _roles.TryFindLiving(pid, out var start)
            && ProcStat.TryRead(pid, out var stat) && (stat.IsStopped || unansweredNs >= PatienceNs))
        {
            using var holder = PidWatch.TryOpen(pid, start);
            if (holder is not null && Look() == seen && holder.Kill())
            {
                // It may take more than one wait to die, and is one holder all the same.
                if (_lastKilled != seen)
                {
                    _lastKilled = seen;
                    Interlocked.Increment(ref _words->Killed);
                }

                return;
            }
        }

        var holderLetsGoInTime = unansweredNs < HopelessNs;
        Invariant.That(holderLetsGoInTime);
    }

    private readonly record struct Sight(uint Thread, uint Entries, uint Progress);

    /// <summary>Holds the lock until disposed, by the thread that entered.</summary>
    internal readonly ref struct Scope
    {
        private readonly ArenaLock _owner;

        public Scope(ArenaLock owner) => _owner = owner;

        /// <summary>
        /// The holder before died, or was killed, inside: repair before use, then <see cref="MarkRepaired"/>.
        /// </summary>
        public bool NeedsRepair => _owner._repairDue;

        /// <summary>
        /// Tells waiters that a long repair goes on, so that they do not kill its holder. Call every few ms.
        /// </summary>
        public void RepairGoesOn() => Volatile.Write(ref _owner._words->Progress, _owner._words->Progress + 1);

        public void MarkRepaired() => _owner._repairDue = false;

        public void Dispose() => _owner.Leave();
    }
}
