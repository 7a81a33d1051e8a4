// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>The sending side.</summary>
internal sealed partial class SessionEngine
{
    /// <summary>Sent on the spot up to this many open tasks: a lone caller saves the hop to another thread.</summary>
    private const int InlineOpenMax = 1;

    // When the hold timer fires next. Under the lock.
    private long _holdArmedMs = long.MaxValue;

    /// <summary>Starts the sender when there is a stream and none runs. Never waits; called from any thread.</summary>
    private void Pump(bool isInline = false)
    {
        SessionLink? link;
        bool isLone;
        lock (_gate)
        {
            link = TryBecomeSender(out isLone);
        }

        StartSender(link, isInline || isLone);
    }

    /// <summary>
    /// The link, when there is something to send on it and it is the caller who is to start its sender. Under the lock.
    /// </summary>
    private SessionLink? TryBecomeSender(out bool isInline)
    {
        isInline = _ledger.OpenCount + _ledger.QueuedCount <= InlineOpenMax;
        if (_link is null || _link.IsSending)
        {
            return null;
        }

        var now = NowMs();
        if (_waiters.Count == 0 && !_ledger.MayHaveToSend(now))
        {
            // Most of what is received asks for nothing to be sent: no thread is woken to find that out.
            ArmHold(now);
            return null;
        }

        _link.IsSending = true;
        return _link;
    }

    private void StartSender(SessionLink? link, bool isInline)
    {
        if (link is null)
        {
            return;
        }

        if (isInline)
        {
            _ = SendAsync(link);
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(
                static work => _ = work.Engine.SendAsync(work.Link), (Engine: this, Link: link), preferLocal: false);
        }
    }

    /// <summary>Sends until nothing is left; ends the link's writing when the stream fails. Throws nothing.</summary>
    private async Task SendAsync(SessionLink link)
    {
        while (TryNextMessage(link, out var message))
        {
            try
            {
                await link.Stream.WriteAsync(message!);
            }
            catch (MusterException failure)
            {
                // The sender stays marked as running, so nothing more is written to this link; the reading side ends
                // it.
                link.FailWrite(failure);
                return;
            }
        }
    }

    private bool TryNextMessage(SessionLink link, out RawMessage? message)
    {
        message = null;
        lock (_gate)
        {
            // A link that was replaced keeps its mark: its stream gets nothing more.
            if (!ReferenceEquals(link, _link))
            {
                return false;
            }

            var now = NowMs();
            bool isThere;
            do
            {
                isThere = _ledger.TryEncode(link.Writer, now, link.SendEvents);
            }
            while (AdmitWaiters() && !isThere);

            if (isThere)
            {
                message = RawMessage.Copy(link.Writer.Written);
            }
            else
            {
                link.IsSending = false;
                _senderIdle?.TrySetResult();
                ArmHold(now);
            }
        }

        link.SendEvents.Tell();
        return message is not null;
    }

    /// <summary>Completes when the sender of this link has nothing left to send.</summary>
    private Task SenderIdleAsync(SessionLink link)
    {
        lock (_gate)
        {
            if (!link.IsSending || !ReferenceEquals(link, _link))
            {
                return Task.CompletedTask;
            }

            _senderIdle = NewSignal();
            return _senderIdle.Task;
        }
    }

    private void OnHoldOver()
    {
        lock (_gate)
        {
            _holdArmedMs = long.MaxValue;
        }

        Pump();
    }

    /// <summary>
    /// Looks again when the server's pause is over, or a confirmation has waited long enough. Under the lock.
    /// </summary>
    private void ArmHold(long nowMs)
    {
        // One that fires earlier looks again itself, so that a timer is not set for each of many tasks.
        var dueMs = _ledger.NextDueMs(nowMs);
        if (dueMs > nowMs && dueMs < _holdArmedMs)
        {
            _holdArmedMs = dueMs;
            _holdTimer.Change(System.TimeSpan.FromMilliseconds(dueMs - nowMs), Timeout.InfiniteTimeSpan);
        }
    }

    private long NowMs() => _time.GetTimestamp() / (_time.TimestampFrequency / 1000);
}
