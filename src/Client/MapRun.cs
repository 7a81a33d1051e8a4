// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client.Sessions;

namespace Muster.Client;

/// <summary>
/// One map: a feeder of its own takes inputs and submits them while fewer than the limit are under way, and the
/// caller's enumeration takes what has ended. Inputs are taken on the thread pool, one at a time; memory is bounded by
/// <see cref="MapOptions.InFlightMax"/>, also when values are held back to keep the order.
///
/// <para>Threads: the feeder, the session's receive loop, and one consumer. They meet under one short lock; ended items
/// change hands by the list, and room is given back in steps of a sixteenth of the limit.</para>
/// </summary>
internal sealed class MapRun<TIn> : IAsyncDisposable
{
    private const int StepMax = 1_024;

    private readonly SessionEngine _engine;
    private readonly EncodedTaskOptions _task;
    private readonly Func<TIn, ReadOnlyMemory<byte>> _encode;
    private readonly CancellationTokenSource _stop;
    private readonly int _inFlightMax;
    private readonly int _step;
    private readonly Lock _gate = new();

    // Guarded by the gate.
    private List<MapItem<TIn>> _ended = [];
    private TaskCompletionSource? _consumerWaits;
    private TaskCompletionSource? _feederWaits;
    private Exception? _inputFailure;
    private bool _isFed;
    private long _room;

    // The feeder's own, but for reading the count once it has finished.
    private long _count;
    private long _roomSeen;

    // The consumer's own.
    private readonly Dictionary<long, MapItem<TIn>>? _held;
    private List<MapItem<TIn>> _taken = [];
    private int _takenNext;
    private long _handedOut;
    private long _handedOutTold;

    private readonly Task _feeder;
    private volatile bool _isLeft;

    /// <summary>Begins to take the inputs and to submit them.</summary>
    public MapRun(
        SessionEngine engine,
        EncodedTaskOptions task,
        IAsyncEnumerable<TIn> inputs,
        Func<TIn, ReadOnlyMemory<byte>> encode,
        MapOptions options,
        CancellationToken cancellationToken)
    {
        _engine = engine;
        _task = task;
        _encode = encode;
        _inFlightMax = options.InFlightMax;
        _step = Math.Clamp(_inFlightMax / 16, 1, StepMax);
        _held = options.InputOrder ? [] : null;
        _room = _inFlightMax;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _feeder = Task.Run(() => FeedAsync(inputs, _stop.Token), CancellationToken.None);
    }

    /// <summary>The enumeration ended before the map did.</summary>
    public bool IsLeft => _isLeft;

    /// <summary>Called by the receive loop, with items of this run.</summary>
    public void Complete(ReadOnlySpan<PendingTask> items)
    {
        TaskCompletionSource? consumer;
        lock (_gate)
        {
            foreach (var item in items)
            {
                _ended.Add((MapItem<TIn>)item);
            }

            consumer = _consumerWaits;
            _consumerWaits = null;
        }

        consumer?.TrySetResult();
    }

    /// <summary>The consumer: what has ended, well or badly, in the order asked for.</summary>
    public bool TryTake([MaybeNullWhen(false)] out MapItem<TIn> item)
    {
        if (_held is not null && _held.Remove(_handedOut, out item))
        {
            HandOut();
            return true;
        }

        while (TryTakeEnded(out item))
        {
            if (_held is null || item.Index == _handedOut)
            {
                HandOut();
                return true;
            }

            _held.Add(item.Index, item);
        }

        return false;
    }

    /// <summary>The consumer, after <see cref="TryTake"/> found nothing: false at the end.</summary>
    public async ValueTask<bool> WaitAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        TaskCompletionSource waits;
        lock (_gate)
        {
            if (_ended.Count > 0)
            {
                return true;
            }

            if (_isFed && _inputFailure is not null)
            {
                ExceptionDispatchInfo.Throw(_inputFailure);
            }

            if (_isFed && _handedOut == _count)
            {
                return false;
            }

            waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _consumerWaits = waits;
        }

        await waits.Task.WaitAsync(cancellationToken);
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        _isLeft = true;
        await _stop.CancelAsync();

        // The feeder never throws: what went wrong with the inputs is told to the consumer.
        await _feeder;
        _stop.Dispose();
    }

    private bool TryTakeEnded([MaybeNullWhen(false)] out MapItem<TIn> item)
    {
        if (_takenNext == _taken.Count)
        {
            _taken.Clear();
            _takenNext = 0;
            TellRoom();
            lock (_gate)
            {
                (_taken, _ended) = (_ended, _taken);
            }

            if (_taken.Count == 0)
            {
                item = null;
                return false;
            }
        }

        item = _taken[_takenNext++];
        return true;
    }

    private void HandOut()
    {
        _handedOut++;
        if (_handedOut - _handedOutTold >= _step)
        {
            TellRoom();
        }
    }

    private void TellRoom()
    {
        if (_handedOut == _handedOutTold)
        {
            return;
        }

        _handedOutTold = _handedOut;
        TaskCompletionSource? feeder;
        lock (_gate)
        {
            _room = _handedOut + _inFlightMax;
            feeder = _feederWaits;
            _feederWaits = null;
        }

        feeder?.TrySetResult();
    }

    private async Task FeedAsync(IAsyncEnumerable<TIn> inputs, CancellationToken cancellationToken)
    {
        try
        {
            // Inputs that are there at once need no state machine each.
            if (inputs is ReadyInputs<TIn> ready)
            {
                foreach (var input in ready.Items)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    await SubmitAsync(input, cancellationToken);
                }
            }
            else
            {
                await foreach (var input in inputs.WithCancellation(cancellationToken))
                {
                    await SubmitAsync(input, cancellationToken);
                }
            }

            EndFeeding(null);
        }
        catch (Exception failure)
        {
            // The enumeration throws it: the inputs are the caller's code.
            EndFeeding(failure);
        }
    }

    private ValueTask SubmitAsync(TIn input, CancellationToken cancellationToken)
    {
        if (_count >= _roomSeen)
        {
            return SubmitWhenRoomAsync(input, cancellationToken);
        }

        var item = new MapItem<TIn>(this, input, _count++, _task, _encode(input));
        try
        {
            var queued = _engine.SubmitAsync(item, cancellationToken);
            return queued.IsCompletedSuccessfully ? ValueTask.CompletedTask : RefuseIfFailedAsync(item, queued);
        }
        catch (MusterException refusal)
        {
            Refuse(item, refusal);
            return ValueTask.CompletedTask;
        }
    }

    private async ValueTask SubmitWhenRoomAsync(TIn input, CancellationToken cancellationToken)
    {
        await AwaitRoomAsync(cancellationToken);
        await SubmitAsync(input, cancellationToken);
    }

    private static async ValueTask RefuseIfFailedAsync(MapItem<TIn> item, Task queued)
    {
        try
        {
            await queued;
        }
        catch (MusterException refusal)
        {
            Refuse(item, refusal);
        }
    }

    private static void Refuse(MapItem<TIn> item, MusterException refusal)
    {
        item.Refusal = refusal;
        item.Stage = PendingStage.Ended;
        item.OnEnded();
    }

    private async Task AwaitRoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource waits;
            lock (_gate)
            {
                _roomSeen = _room;
                if (_count < _roomSeen)
                {
                    return;
                }

                waits = new(TaskCreationOptions.RunContinuationsAsynchronously);
                _feederWaits = waits;
            }

            await waits.Task.WaitAsync(cancellationToken);
        }
    }

    private void EndFeeding(Exception? failure)
    {
        TaskCompletionSource? consumer;
        lock (_gate)
        {
            _isFed = true;
            _inputFailure = failure;
            consumer = _consumerWaits;
            _consumerWaits = null;
        }

        consumer?.TrySetResult();
    }
}
