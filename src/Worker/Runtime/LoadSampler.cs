// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Worker.Runtime;

/// <summary>
/// Measures this process between two beats. How long the thread pool lets work wait is measured by a probe: one work
/// item at a time, whose age counts while it has not run. Called by the heartbeat thread alone.
/// </summary>
internal sealed class LoadSampler(TimeProvider time)
{
    private long _lastAt = time.GetTimestamp();
    private TimeSpan _lastCpu = Environment.CpuUsage.TotalTime;
    private long _probeSentAt;
    private long _probeDelayUs;

    // 1 while a probe waits in the pool's queue.
    private int _probeWaits;

    public LoadSample Take()
    {
        var now = time.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var elapsed = time.GetElapsedTime(_lastAt, now);
        var milli = elapsed > TimeSpan.Zero ? (cpu - _lastCpu) / elapsed * 1_000 : 0;
        _lastAt = now;
        _lastCpu = cpu;
        return new(
            (uint)Math.Clamp(milli, 0, uint.MaxValue),
            (ulong)Environment.WorkingSet,
            TakePoolDelayUs(now),
            (ulong)GC.GetTotalPauseDuration().TotalMicroseconds,
            (long)(time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMicroseconds);
    }

    private ulong TakePoolDelayUs(long now)
    {
        if (Volatile.Read(ref _probeWaits) != 0)
        {
            return (ulong)time.GetElapsedTime(_probeSentAt, now).TotalMicroseconds;
        }

        var delayUs = (ulong)Volatile.Read(ref _probeDelayUs);
        _probeSentAt = now;
        Volatile.Write(ref _probeWaits, 1);
        ThreadPool.UnsafeQueueUserWorkItem(static sampler => sampler.ProbeRan(), this, preferLocal: false);
        return delayUs;
    }

    private void ProbeRan()
    {
        Volatile.Write(ref _probeDelayUs, (long)time.GetElapsedTime(_probeSentAt).TotalMicroseconds);
        Volatile.Write(ref _probeWaits, 0);
    }
}
