// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Muster.Client.Sessions;

namespace Muster;

/// <summary>
/// A task that the cell has accepted. Await it for its value, as often as wanted and from any thread; letting go of it
/// changes nothing for the task.
/// </summary>
/// <typeparam name="TOut">What the handler returns.</typeparam>
public sealed class TaskHandle<TOut>
{
    private readonly Lock _gate = new();
    private readonly MusterClient _client;
    private readonly Func<ReadOnlyMemory<byte>, TOut> _reader;
    private readonly AwaitedTask _pending;
    private Task<TOut>? _value;

    internal TaskHandle(MusterClient client, Func<ReadOnlyMemory<byte>, TOut> reader, AwaitedTask pending)
    {
        _client = client;
        _reader = reader;
        _pending = pending;
    }

    /// <summary>The task.</summary>
    public TaskId Id => _pending.Id;

    /// <summary>Whether the task has ended and its result is here.</summary>
    public bool IsEnded => _pending.Ended.IsCompleted;

    /// <summary>Awaits the value.</summary>
    /// <returns>The awaiter; it throws <see cref="TaskFailedException"/> when the task did not succeed.</returns>
    public TaskAwaiter<TOut> GetAwaiter() => AsTask().GetAwaiter();

    /// <summary>The value as a <see cref="Task"/>, for use with the methods that take one.</summary>
    /// <returns>Always the same object.</returns>
    public Task<TOut> AsTask()
    {
        lock (_gate)
        {
            return _value ??= ReadAsync();
        }
    }

    /// <summary>Awaits the value for a while; giving up does not touch the task.</summary>
    /// <param name="cancellationToken">Ends the wait, never the task.</param>
    /// <returns>The value.</returns>
    public Task<TOut> WaitAsync(CancellationToken cancellationToken) => AsTask().WaitAsync(cancellationToken);

    /// <summary>Cancels the task. Awaiting it then throws with <see cref="Outcome.Cancelled"/>.</summary>
    /// <param name="cancellationToken">Ends the wait for the answer.</param>
    /// <returns>True: it is cancelled, by this call or an earlier one. False: it had ended in another way.</returns>
    public Task<bool> CancelAsync(CancellationToken cancellationToken = default) =>
        _client.CancelAsync(Id, cancellationToken);

    private async Task<TOut> ReadAsync()
    {
        await _pending.Ended;
        _pending.ThrowUnlessSucceeded();
        return _reader(_pending.Output);
    }
}
