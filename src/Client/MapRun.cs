// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Muster.Client.Sessions;

namespace Muster.Client;

/// <summary>
/// One map: a feeder of its own takes inputs and submits them while fewer than the limit are under way, and the
/// caller's enumeration takes what has ended. Inputs are taken on the thread pool, one at a time; memory is bounded by
/// <see cref="MapOptions.InFlightMax"/>, also when values are held back to keep the order.
/// </summary>
internal sealed class MapRun<TIn> : IDisposable
{
    private readonly SessionEngine _engine;
    private readonly EncodedTaskOptions _task;
    private readonly Func<TIn, byte[]> _encode;
    private readonly MapOptions _options;
    private readonly SemaphoreSlim _window;

    // Never holds more than the window allows, so it needs no bound of its own.
    private readonly Channel<MapItem<TIn>> _ended =
        Channel.CreateUnbounded<MapItem<TIn>>(new() { SingleReader = true, AllowSynchronousContinuations = false });

    private volatile bool _isLeft;
    private long _count;

    /// <summary>One for the feeder and one for each item under way; who takes it to 0 ends the channel.</summary>
    private long _underWay = 1;

    public MapRun(SessionEngine engine, EncodedTaskOptions task, Func<TIn, byte[]> encode, MapOptions options)
    {
        _engine = engine;
        _task = task;
        _encode = encode;
        _options = options;
        _window = new(options.InFlightMax);
    }

    /// <summary>The enumeration ended before the map did.</summary>
    public bool IsLeft => _isLeft;

    /// <summary>Called by the receive loop.</summary>
    public void Complete(MapItem<TIn> item)
    {
        _ended.Writer.TryWrite(item);
        Leave(null);
    }

    /// <summary>What has ended, well or badly, in the order asked for.</summary>
    public async IAsyncEnumerable<MapItem<TIn>> RunAsync(
        IAsyncEnumerable<TIn> inputs, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var feeder = Task.Run(() => FeedAsync(inputs, stop.Token), CancellationToken.None);
        try
        {
            var held = new Dictionary<long, MapItem<TIn>>();
            var next = 0L;
            await foreach (var ended in _ended.Reader.ReadAllAsync(cancellationToken))
            {
                if (!_options.InputOrder)
                {
                    _window.Release();
                    yield return ended;
                    continue;
                }

                held.Add(ended.Index, ended);
                while (held.Remove(next, out var item))
                {
                    next++;
                    _window.Release();
                    yield return item;
                }
            }
        }
        finally
        {
            _isLeft = true;
            await stop.CancelAsync();

            // The feeder never throws: what went wrong with the inputs came through the channel.
            await feeder;
        }
    }

    public void Dispose() => _window.Dispose();

    private async Task FeedAsync(IAsyncEnumerable<TIn> inputs, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var input in inputs.WithCancellation(cancellationToken))
            {
                await _window.WaitAsync(cancellationToken);
                var item = new MapItem<TIn>(this, input, _count++, _task, _encode(input));
                Interlocked.Increment(ref _underWay);
                try
                {
                    await _engine.SubmitAsync(item, cancellationToken);
                }
                catch (MusterException refusal)
                {
                    item.Refusal = refusal;
                    item.Stage = PendingStage.Ended;
                    Complete(item);
                }
            }

            Leave(null);
        }
        catch (Exception failure)
        {
            // The enumeration throws it: the inputs are the caller's code.
            Leave(failure);
        }
    }

    private void Leave(Exception? failure)
    {
        if (Interlocked.Decrement(ref _underWay) == 0 || failure is not null)
        {
            _ended.Writer.TryComplete(failure);
        }
    }
}
