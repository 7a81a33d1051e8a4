// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Client.Sessions;

namespace Muster.Client;

/// <summary>One input of a map on its way. Belongs to its <see cref="MapRun{TIn}"/>.</summary>
internal sealed class MapItem<TIn>(
    MapRun<TIn> run, TIn input, long index, EncodedTaskOptions options, ReadOnlyMemory<byte> payload)
    : PendingTask(options, payload)
{
    public TIn Input { get; } = input;

    /// <summary>Position of the input, from 0.</summary>
    public long Index { get; } = index;

    /// <summary>Nobody wants what is left of a map that was left.</summary>
    public override bool IsAbandoned => base.IsAbandoned || run.IsLeft;

    public override void OnEnded() => run.Complete([this]);

    public override int EndTogether(ReadOnlySpan<PendingTask> together)
    {
        var count = 1;
        while (count < together.Length && together[count] is MapItem<TIn> item && item.IsOf(run))
        {
            count++;
        }

        run.Complete(together[..count]);
        return count;
    }

    private bool IsOf(MapRun<TIn> other) => ReferenceEquals(run, other);
}
