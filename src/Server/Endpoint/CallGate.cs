// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Server.Endpoint;

/// <summary>
/// Holds calls that come while the roles behind them still take over. A server listens before that, so that whoever
/// lost its predecessor has connected and said hello by the time there is somebody to hear it; a caller that was
/// refused instead would be away for longer than the take-over takes. Opens once and for good: by
/// <see cref="Open"/>, or by itself after <see cref="EndpointLimits.HeldCallTimeout"/>, when those who wait are better
/// told than kept. Any thread. As many calls wait here as connections may have open.
/// </summary>
internal sealed class CallGate : IDisposable
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer? _limit;
    private volatile bool _isOpen;

    /// <param name="isOpen">From the start on: nobody has to wait for anything.</param>
    /// <param name="time">What the limit is measured by.</param>
    public CallGate(bool isOpen, TimeProvider time)
    {
        _isOpen = isOpen;
        _limit = isOpen ? null : time.CreateTimer(
            static gate => ((CallGate)gate!).Open(), this, EndpointLimits.HeldCallTimeout, Timeout.InfiniteTimeSpan);
    }

    public bool IsOpen => _isOpen;

    /// <summary>Ends when calls may go on.</summary>
    public Task WhenOpen => _opened.Task;

    /// <summary>Lets in whoever waits and whoever comes.</summary>
    public void Open()
    {
        _isOpen = true;
        _opened.TrySetResult();
    }

    /// <summary>Opens it: what waits here is ended by its connection or by what it finds.</summary>
    public void Dispose()
    {
        Open();
        _limit?.Dispose();
    }
}
