// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading;
using Muster.Core;
using Muster.Journal;
using Muster.Plm;

namespace Muster.Server.PlmHosting;

/// <summary>
/// The thread "journal": writes what turns appended, flushes it, and has a turn of its own to say how far that went.
/// Everything appended while one flush runs is covered by the next, so however many wait there is one flush under way.
///
/// <para>It flushes at once when somebody waits for that, else after <see cref="JournalOptions.FlushIntervalMs"/> at
/// the latest. Between commits it does one slice of the journal's housekeeping. When a write or flush fails it stops
/// the role: nothing is known then of what the disk holds.</para>
/// </summary>
internal sealed class JournalThread : IDisposable
{
    private const int MaintainPauseMs = 1;

    /// <summary>How long a journal that refuses work waits for a wake before it looks for room again.</summary>
    private const int RefusedPauseMs = 250;

    // A cell that records next to nothing needs no second segment.
    private const long MaintainFromBytes = 1 << 20;

    private readonly PlmHost _host;
    private readonly IJournal _journal;
    private readonly int _flushIntervalMs;
    private readonly AutoResetEvent _wake = new(initialState: false);
    private readonly ReachedTurn _turn = new();
    private readonly Thread _thread;

    private bool _wantsSync;
    private volatile bool _stopping;
    private long _unsyncedSince;

    public JournalThread(PlmHost host, IJournal journal, int flushIntervalMs)
    {
        _host = host;
        _journal = journal;
        _flushIntervalMs = flushIntervalMs;
        _thread = new Thread(Work) { Name = "journal", IsBackground = true };
    }

    public void Start() => _thread.Start();

    /// <summary>A turn appended something. From any thread.</summary>
    /// <param name="wantsSync">Somebody waits for the flush.</param>
    public void Appended(bool wantsSync)
    {
        if (wantsSync)
        {
            Volatile.Write(ref _wantsSync, true);
        }

        _wake.Set();
    }

    /// <summary>Writes what is left, marks the journal as closed, and ends. After the last turn.</summary>
    /// <returns>
    /// False: the disk did not answer in time. The thread and what it uses, the journal with it, are left alone then.
    /// </returns>
    public bool TryStop(TimeSpan patience)
    {
        _stopping = true;
        _wake.Set();
        return !_thread.IsAlive || _thread == Thread.CurrentThread || _thread.Join(patience);
    }

    /// <summary>After the thread has ended, or it would wait on what is gone.</summary>
    public void Dispose() => _wake.Dispose();

    private void Work()
    {
        try
        {
            while (!_stopping)
            {
                Commit();

                // A slice writes and flushes a spare of its own; what waits for its flush must not wait for that too.
                var hasMore = _unsyncedSince == 0 && _journal.LiveBytes >= MaintainFromBytes && _journal.Maintain();
                _wake.WaitOne(hasMore ? MaintainPauseMs : WaitMs());
            }

            _journal.Close();
        }
        catch (JournalFailedException failure)
        {
            _host.Fail(failure);
        }
    }

    private void Commit()
    {
        // In one step: a wish that came between a look and its clearing would wait for the flush interval.
        var sync = Interlocked.Exchange(ref _wantsSync, false) || IsFlushDue();
        if (_journal.AppendedSequence == _journal.WrittenSequence && !sync)
        {
            return;
        }

        var wasSynced = _journal.SyncedSequence;
        var wasWritten = _journal.WrittenSequence;
        var position = _journal.Commit(sync);
        if (position.Synced == position.Written)
        {
            _unsyncedSince = 0;
        }
        else if (_unsyncedSince == 0)
        {
            _unsyncedSince = Stopwatch.GetTimestamp();
        }

        CrashPoint.Hit("journal.thread.committed");
        if (position.Written != wasWritten || position.Synced != wasSynced)
        {
            _turn.Position = position;
            _host.TryRun(_turn, out _);
        }
    }

    private bool IsFlushDue() =>
        _unsyncedSince != 0 && Stopwatch.GetElapsedTime(_unsyncedSince).TotalMilliseconds >= _flushIntervalMs;

    private int WaitMs()
    {
        if (_unsyncedSince != 0)
        {
            var left = _flushIntervalMs - Stopwatch.GetElapsedTime(_unsyncedSince).TotalMilliseconds;
            return Math.Clamp((int)Math.Ceiling(left), 0, _flushIntervalMs);
        }

        // While nothing is accepted nothing is appended either, so nobody would wake the search for room.
        return _journal.Refusal.IsNone ? Timeout.Infinite : RefusedPauseMs;
    }

    /// <summary>The turn in which the core hears how far the journal has come.</summary>
    private sealed class ReachedTurn : IPlmTurn
    {
        public JournalPosition Position { get; set; }

        public void Run(PlmCore core, PlmTime now) => core.JournalReached(Position.Written, Position.Synced);
    }
}
