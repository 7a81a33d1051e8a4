// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Worker.Runtime;

/// <summary>
/// Measures this process between two beats. How long the thread pool lets work wait is measured by a probe: one work
/// item at a time, whose age counts while it has not run. Called by the heartbeat thread alone.
/// <para>
/// What is costly is looked at once a second, not at every beat: a probe wakes two or three threads, and the size of
/// the working set is a file that the kernel writes for the purpose.
/// </para>
/// </summary>
internal sealed class LoadSampler(TimeProvider time)
{
    private static readonly TimeSpan s_costlyEvery = TimeSpan.FromMilliseconds(990);

    private long _lastAt = time.GetTimestamp();
    private TimeSpan _lastCpu = Environment.CpuUsage.TotalTime;
    private long? _costlyAt;
    private ulong _memoryBytes;
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
        if (_costlyAt is not { } before || time.GetElapsedTime(before, now) >= s_costlyEvery)
        {
            _costlyAt = now;
            _memoryBytes = (ulong)Environment.WorkingSet;
            SendProbe(now);
        }

        return new(
            (uint)Math.Clamp(milli, 0, uint.MaxValue),
            _memoryBytes,
            PoolDelayUs(now),
            (ulong)GC.GetTotalPauseDuration().TotalMicroseconds,
            (long)(time.GetUtcNow() - DateTimeOffset.UnixEpoch).TotalMicroseconds);
    }

    private ulong PoolDelayUs(long now) => Volatile.Read(ref _probeWaits) != 0
        ? (ulong)time.GetElapsedTime(_probeSentAt, now).TotalMicroseconds
        : (ulong)Volatile.Read(ref _probeDelayUs);

    private void SendProbe(long now)
    {
        if (Volatile.Read(ref _probeWaits) == 0)
        {
            _probeSentAt = now;
            Volatile.Write(ref _probeWaits, 1);
            ThreadPool.UnsafeQueueUserWorkItem(static sampler => sampler.ProbeRan(), this, preferLocal: false);
        }
    }

    private void ProbeRan()
    {
        Volatile.Write(ref _probeDelayUs, (long)time.GetElapsedTime(_probeSentAt).TotalMicroseconds);
        Volatile.Write(ref _probeWaits, 0);
    }
}
