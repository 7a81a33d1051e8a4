// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;

namespace Muster.Server.RegisterHosting;

/// <summary>
/// Measures how long work waits for a thread of the pool. Heartbeats are read by such threads: when they wait, it is
/// not the workers that are silent. The role's thread starts one probe at a time and looks at its age.
/// </summary>
internal sealed class PoolProbe : IThreadPoolWorkItem
{
    // A probe makes the pool wake two or three threads, so it is not sent at every tick of an idle cell. A pool that
    // starves goes unnoticed for as long at first; from then on the probe waits in its queue and tells at every tick,
    // and a lease is many times longer.
    internal const long BetweenMs = 500;

    private readonly long _worthTellingMs;
    private readonly Action<IThreadPoolWorkItem> _queue;
    private long _nextMs;
    private long _toldMs;
    private bool _isOut;

    /// <param name="worthTellingMs">Shorter delays are nothing to speak of.</param>
    /// <param name="queue">Has the pool execute it; null: this process's own.</param>
    public PoolProbe(long worthTellingMs, Action<IThreadPoolWorkItem>? queue = null)
    {
        _worthTellingMs = worthTellingMs;
        _queue = queue ?? (static probe => ThreadPool.UnsafeQueueUserWorkItem(probe, preferLocal: false));
    }

    /// <summary>Called at every tick by the role's thread.</summary>
    /// <returns>
    /// By how much heartbeats were delayed and nobody was told yet, in milliseconds; 0 when not worth telling.
    /// </returns>
    public long Look(long nowMs)
    {
        if (!Volatile.Read(ref _isOut))
        {
            if (nowMs < _nextMs)
            {
                return 0;
            }

            _nextMs = nowMs + BetweenMs;
            _toldMs = nowMs;
            Volatile.Write(ref _isOut, true);
            _queue(this);
            return 0;
        }

        var delayMs = nowMs - _toldMs;
        if (delayMs < _worthTellingMs)
        {
            return 0;
        }

        _toldMs = nowMs;
        return delayMs;
    }

    public void Execute() => Volatile.Write(ref _isOut, false);
}
