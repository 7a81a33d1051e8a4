// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>
/// Tasks whose idempotency key was known to the cell: they belong to another submission, so their results do not come
/// over this session and are awaited one by one. At most <see cref="SessionLimits.AwaitsMax"/> calls are open; each
/// gives way to the next after a while.
/// </summary>
internal sealed partial class SessionEngine
{
    private readonly SemaphoreSlim _awaits = new(SessionLimits.AwaitsMax);

    /// <summary>Tells the waiters, and starts to await what is answered elsewhere.</summary>
    private void Tell(SessionEvents events)
    {
        foreach (var task in events.Duplicates)
        {
            _ = AwaitElsewhereAsync(task, _stop.Token);
        }

        events.Duplicates.Clear();
        events.Tell();
    }

    private async Task AwaitElsewhereAsync(PendingTask task, CancellationToken stop)
    {
        try
        {
            for (var failures = 0; IsAwaitedElsewhere(task);)
            {
                try
                {
                    if (await AwaitOnceAsync(task.Id, stop) is { } result)
                    {
                        EndElsewhere(task, result);
                    }

                    failures = 0;
                }
                catch (MusterException failure) when (failure.IsTransient)
                {
                    await Task.Delay(PauseAfter(++failures), _time, stop);
                }
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The client is being closed, which fails everything that waits.
        }
        catch (MusterException failure)
        {
            RefuseElsewhere(task, Explain(failure));
        }
        catch (Exception bug)
        {
            // Whatever this is, nobody may wait for ever because of it.
            RefuseElsewhere(task, new MusterException(
                "INTERNAL", $"the client stopped by a fault of its own: {bug.Message}", null, bug));
        }
    }

    private async Task<byte[]?> AwaitOnceAsync(TaskId id, CancellationToken stop)
    {
        await _awaits.WaitAsync(stop);
        try
        {
            return await _connector.AwaitTaskAsync(id, stop);
        }
        finally
        {
            _awaits.Release();
        }
    }

    private bool IsAwaitedElsewhere(PendingTask task)
    {
        lock (_gate)
        {
            return _ledger.IsElsewhere(task);
        }
    }

    private void EndElsewhere(PendingTask task, byte[] result)
    {
        var events = new SessionEvents();
        lock (_gate)
        {
            try
            {
                _ledger.ReceiveElsewhere(task, result, events);
            }
            catch (WireFormatException damage)
            {
                throw Damaged(damage);
            }
        }

        events.Tell();
    }

    private void RefuseElsewhere(PendingTask task, MusterException refusal)
    {
        var events = new SessionEvents();
        lock (_gate)
        {
            _ledger.RefuseElsewhere(task, refusal, events);
        }

        events.Tell();
    }

    private static MusterException Explain(MusterException failure) =>
        FaultCodes.Parse(failure.Code) is FaultCode.TaskNotFound or FaultCode.TaskIdFromEarlierArena
            ? new(
                FaultCodes.Name(FaultCode.IdempotencyResultGone),
                "the task of this idempotency key has ended, and its result is not kept any more; nothing was run; use "
                + "another key to run it anew",
                null,
                failure)
            : failure;
}
