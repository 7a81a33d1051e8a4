// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client;
using Muster.Client.Sessions;

namespace Muster;

/// <summary>Maps: many inputs of one kind of task.</summary>
public sealed partial class MusterClient
{
    /// <summary>
    /// Runs one task for each input. At most <see cref="MapOptions.InFlightMax"/> are under way at once, so inputs may
    /// be endless; the next ones are taken as values are handed out.
    /// </summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="inputs">Enumerated once, on the thread pool.</param>
    /// <param name="options">Null: the defaults, with values as they complete.</param>
    /// <param name="cancellationToken">Ends the enumeration, never the tasks that the cell has accepted.</param>
    /// <returns>
    /// Each input with its value. Enumerating throws <see cref="TaskFailedException"/> at the first task that failed
    /// and
    /// <see cref="MusterException"/> at the first that was refused; tasks already accepted go on.
    /// </returns>
    public IAsyncEnumerable<(TIn Input, TOut Value)> MapAsync<TIn, TOut>(
        TaskType<TIn, TOut> type,
        IEnumerable<TIn> inputs,
        MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(inputs);
        return MapAsync(type, new ReadyInputs<TIn>(inputs), options, cancellationToken);
    }

    /// <summary>Runs one task for each input, as the inputs arrive.</summary>
    /// <typeparam name="TIn">What the handler gets.</typeparam>
    /// <typeparam name="TOut">What the handler returns.</typeparam>
    /// <param name="type">The kind of task.</param>
    /// <param name="inputs">Enumerated once, on the thread pool.</param>
    /// <param name="options">Null: the defaults, with values as they complete.</param>
    /// <param name="cancellationToken">Ends the enumeration, never the tasks that the cell has accepted.</param>
    /// <returns>
    /// Each input with its value. Enumerating throws <see cref="TaskFailedException"/> at the first task that failed
    /// and
    /// <see cref="MusterException"/> at the first that was refused; tasks already accepted go on.
    /// </returns>
    public IAsyncEnumerable<(TIn Input, TOut Value)> MapAsync<TIn, TOut>(
        TaskType<TIn, TOut> type,
        IAsyncEnumerable<TIn> inputs,
        MapOptions? options = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(type);
        ArgumentNullException.ThrowIfNull(inputs);
        options ??= MapOptions.Default;
        options.Validate();
        return ReadValuesAsync(type, inputs, options, cancellationToken);
    }

    /// <summary>A map whose failures are items like others, for callers that count them.</summary>
    internal async IAsyncEnumerable<MapItem<TIn>> MapItemsAsync<TIn>(
        EncodedTaskOptions task,
        IAsyncEnumerable<TIn> inputs,
        Func<TIn, ReadOnlyMemory<byte>> encode,
        MapOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await using var run = new MapRun<TIn>(Engine, task, inputs, encode, options, cancellationToken);
        while (await run.WaitAsync(cancellationToken))
        {
            while (run.TryTake(out var item))
            {
                yield return item;
            }
        }
    }

    private async IAsyncEnumerable<(TIn Input, TOut Value)> ReadValuesAsync<TIn, TOut>(
        TaskType<TIn, TOut> type,
        IAsyncEnumerable<TIn> inputs,
        MapOptions options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var task = _optionsCache.Get(type.Name, options.Task);
        await using var run = new MapRun<TIn>(
            Engine, task, inputs, input => PayloadBuffer.Write(type, input), options, cancellationToken);
        while (await run.WaitAsync(cancellationToken))
        {
            while (run.TryTake(out var item))
            {
                item.ThrowUnlessSucceeded();
                yield return (item.Input, type.ReadOutput(item.Output));
            }
        }
    }
}
