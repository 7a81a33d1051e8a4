// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Threading;

namespace Muster.Transport.Sockets;

/// <summary>
/// The socket threads of one listener, or of all channels of a process: made when there are sockets for them, at most
/// as many as processors and <see cref="ThreadsMax"/>, and kept until the end. Any thread.
/// </summary>
/// <param name="name">Of the threads, before their number.</param>
internal sealed class SocketThreads(string name) : IDisposable
{
    /// <summary>One thread seldom has work for more.</summary>
    public const int ThreadsMax = 4;

    private static readonly int s_threadsMax = Math.Min(Environment.ProcessorCount, ThreadsMax);

    private readonly Lock _gate = new();
    private readonly List<SocketThread> _threads = [];
    private bool _isDisposed;

    /// <summary>Those of every channel of this process; they idle in the kernel when there is none.</summary>
    public static SocketThreads OfChannels { get; } = new("muster-net");

    /// <summary>Whether there is epoll; without it sockets are used as the runtime does.</summary>
    public static bool AreSupported => OperatingSystem.IsLinux();

    /// <summary>The thread for one more socket: one without any, or a new one, or the least busy.</summary>
    public SocketThread Take()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            SocketThread? least = null;
            var leastCount = int.MaxValue;
            foreach (var thread in _threads)
            {
                var count = thread.Count;
                (least, leastCount) = count < leastCount ? (thread, count) : (least, leastCount);
            }

            if (least is null || (leastCount > 0 && _threads.Count < s_threadsMax))
            {
                least = new SocketThread(string.Create(CultureInfo.InvariantCulture, $"{name}-{_threads.Count}"));
                _threads.Add(least);
            }

            return least;
        }
    }

    /// <summary>Ends them, with what still waits there.</summary>
    public void Dispose()
    {
        SocketThread[] threads;
        lock (_gate)
        {
            _isDisposed = true;
            threads = [.. _threads];
        }

        foreach (var thread in threads)
        {
            thread.Dispose();
        }
    }
}
