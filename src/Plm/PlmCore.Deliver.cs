// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Core;

namespace Muster.Plm;

/// <content>Delivery: ended tasks of a session go to its stream in the order in which they ended.</content>
internal sealed partial class PlmCore
{
    /// <summary>The stream has room again after it took fewer results than it was offered.</summary>
    public void ResumeDelivery(PlmSession session, IResultStream stream)
    {
        Invariant.That(_inTurn);
        if (ReferenceEquals(session.Stream, stream))
        {
            session.IsStalled = false;
            MarkDirty(session);
        }
    }

    private void AppendEnded(PlmSession session, uint index)
    {
        _index.Append(ref session.Ended, index);
        if (session.Stream is not null && session.NextUndelivered == 0)
        {
            session.NextUndelivered = index + 1;
        }

        MarkDirty(session);
    }

    private void DeliverDirty()
    {
        // A stream that fails while it is handed results leaves in a turn of its own, so the list stays as it is.
        foreach (var session in _dirty)
        {
            session.IsDirty = false;
            if (!session.IsForgotten)
            {
                Deliver(session);
                _arena.Clients[session.Row].Outstanding = session.Outstanding;
            }
        }

        _dirty.Clear();
    }

    private void Deliver(PlmSession session)
    {
        Span<uint> slots = stackalloc uint[PlmLimits.DeliverBatchMax];
        while (session.Stream is { } stream && !session.IsStalled)
        {
            var room = (int)Math.Min(session.UnconfirmedMax - session.Unconfirmed, (uint)slots.Length);
            var count = 0;
            var next = session.NextUndelivered;
            while (count < room && next != 0)
            {
                _tasks.Prefetch(next - 1);
                slots[count++] = next - 1;
                next = _index[next - 1].Next;
            }

            if (count == 0)
            {
                return;
            }

            CrashPoint.Hit("plm.deliver.before");
            var taken = stream.Deliver(slots[..count], _now);
            CrashPoint.Hit("plm.deliver.after");
            Invariant.That(taken >= 0 && taken <= count);
            session.Unconfirmed += (uint)taken;
            session.NextUndelivered = taken == count ? next : slots[taken] + 1;
            session.IsStalled = taken < count;
            Count(CellCounter.Delivered, taken);
        }
    }
}
