// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;
using Muster.Worker.Links;

namespace Muster.Worker.Runtime;

/// <summary>
/// Beats at the interval, watches time limits, and sends results for threads that have better things to do. A thread of
/// its own, because a timer of the pool falls silent for many seconds beside busy handlers.
/// </summary>
/// <remarks>
/// Sleeping and waking: <see cref="FlushSoon"/> sets the flag with a full fence and then pulses under the lock; the
/// thread looks at the flag under the same lock before it waits. So a flag set before the look is seen, and one set
/// after it meets a waiting thread.
/// </remarks>
internal sealed class HeartbeatThread : IResultSender
{
    private readonly TimeProvider _time;
    private readonly Action<Exception> _stopWorker;
    private readonly LoadSampler _sampler;
    private readonly object _signal = new();
    private readonly Thread _thread;
    private readonly List<HeldAttempt> _timedOut = [];
    private RegisterLink? _link;
    private Executor? _executor;
    private int _flushWanted;
    private long _intervalTicks;
    private long _deadlineAt = long.MaxValue;
    private bool _stopping;

    public HeartbeatThread(TimeProvider time, Action<Exception> stopWorker)
    {
        _time = time;
        _stopWorker = stopWorker;
        _sampler = new(time);
        _thread = new Thread(Run)
        {
            Name = "muster-heartbeat",
            IsBackground = true,
            Priority = ThreadPriority.AboveNormal,
        };
        SetInterval(WorkerLimits.IntervalMsDefault);
    }

    /// <summary>Names those it works for; before anything else.</summary>
    public void Attach(RegisterLink link, Executor executor)
    {
        _link = link;
        _executor = executor;
    }

    public void Start() => _thread.Start();

    public void Flush() => _link!.Flush();

    public void FlushSoon()
    {
        if (Volatile.Read(ref _flushWanted) == 0 && Interlocked.Exchange(ref _flushWanted, 1) == 0)
        {
            lock (_signal)
            {
                Monitor.Pulse(_signal);
            }
        }
    }

    public void DeadlineAt(long timestamp)
    {
        if (timestamp >= Volatile.Read(ref _deadlineAt))
        {
            return;
        }

        lock (_signal)
        {
            if (timestamp < _deadlineAt)
            {
                _deadlineAt = timestamp;
                Monitor.Pulse(_signal);
            }
        }
    }

    /// <summary>How often to beat from now on; 0: unchanged.</summary>
    public void SetInterval(uint ms)
    {
        if (ms != 0)
        {
            var clamped = Math.Clamp(ms, WorkerLimits.IntervalMsMin, WorkerLimits.IntervalMsMax);
            Volatile.Write(ref _intervalTicks, (long)clamped * _time.TimestampFrequency / 1_000);
        }
    }

    /// <summary>Ends the thread. Legal before it was started, and twice.</summary>
    public void Stop()
    {
        lock (_signal)
        {
            _stopping = true;
            Monitor.Pulse(_signal);
        }

        if (_thread.IsAlive)
        {
            _thread.Join();
        }
    }

    private void Run()
    {
        try
        {
            var nextBeat = _time.GetTimestamp();
            while (!Volatile.Read(ref _stopping))
            {
                if (Interlocked.Exchange(ref _flushWanted, 0) != 0)
                {
                    _link!.Flush(isOwner: true);
                }

                CheckDeadlines();
                var now = _time.GetTimestamp();
                if (now >= nextBeat)
                {
                    _link!.Beat(_sampler.Take());
                    nextBeat = now + Volatile.Read(ref _intervalTicks);
                }

                Wait(nextBeat);
            }
        }
        catch (Exception exception)
        {
            // A bug of ours. A worker that cannot beat must not look alive.
            _stopWorker(exception);
        }
    }

    private void CheckDeadlines()
    {
        if (_time.GetTimestamp() < Volatile.Read(ref _deadlineAt))
        {
            return;
        }

        // Forgotten before the look: a limit that is set during the look is earlier than "never" and so is kept.
        Volatile.Write(ref _deadlineAt, long.MaxValue);
        DeadlineAt(_executor!.CheckDeadlines(_timedOut));
    }

    private void Wait(long nextBeat)
    {
        lock (_signal)
        {
            var until = Math.Min(nextBeat, _deadlineAt) - _time.GetTimestamp();
            var ms = (int)Math.Min(((until * 1_000) / _time.TimestampFrequency) + 1, int.MaxValue);
            if (ms > 0 && !_stopping && Volatile.Read(ref _flushWanted) == 0)
            {
                Monitor.Wait(_signal, ms);
            }
        }
    }
}
