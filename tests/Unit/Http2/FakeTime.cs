// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;

namespace Muster.Unit.Http2;

/// <summary>A clock that moves when it is told to, and its timers with it. Any thread.</summary>
internal sealed class FakeTime : TimeProvider
{
    private readonly object _gate = new();
    private readonly List<FakeTimer> _timers = [];
    private long _now = TimeSpan.TicksPerHour;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Volatile.Read(ref _now);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new FakeTimer(this, callback, state);
        timer.Change(dueTime, period);
        lock (_gate)
        {
            _timers.Add(timer);
        }

        return timer;
    }

    /// <summary>Lets the time pass in steps of a quarter of a second.</summary>
    public void Advance(TimeSpan time)
    {
        var end = GetTimestamp() + time.Ticks;
        while (GetTimestamp() < end)
        {
            Volatile.Write(ref _now, Math.Min(end, GetTimestamp() + (TimeSpan.TicksPerSecond / 4)));
            FakeTimer[] timers;
            lock (_gate)
            {
                timers = [.. _timers];
            }

            foreach (var timer in timers)
            {
                timer.Look(GetTimestamp());
            }
        }
    }

    private sealed class FakeTimer(FakeTime time, TimerCallback callback, object? state) : ITimer
    {
        private long _due = long.MaxValue;
        private long _period = -1;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Volatile.Write(
                ref _due, dueTime == Timeout.InfiniteTimeSpan ? long.MaxValue : time.GetTimestamp() + dueTime.Ticks);
            _period = period == Timeout.InfiniteTimeSpan ? -1 : period.Ticks;
            return true;
        }

        public void Look(long now)
        {
            if (now >= Volatile.Read(ref _due))
            {
                Volatile.Write(ref _due, _period < 0 ? long.MaxValue : now + _period);
                callback(state);
            }
        }

        public void Dispose() => Volatile.Write(ref _due, long.MaxValue);

        public System.Threading.Tasks.ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
