// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>
/// One living stream of a session with what sending on it needs. Made by the engine's loop, which alone reads and ends
/// it; one sender at a time owns <see cref="Writer"/>, marked by <see cref="IsSending"/> under the engine's lock.
/// </summary>
internal sealed class SessionLink(ISessionStream stream) : IAsyncDisposable
{
    private readonly CancellationTokenSource _cut = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ISessionStream Stream { get; } = stream;

    public ProtoWriter Writer { get; } = new(SessionLimits.BatchBytesMax / 8);

    /// <summary>Gathers whom the sender has to tell.</summary>
    public SessionEvents SendEvents { get; } = new();

    public bool IsSending { get; set; }

    /// <summary>Ends the reading side.</summary>
    public CancellationToken Cut => _cut.Token;

    /// <summary>Completes when the reading side has ended.</summary>
    public Task Over => _over.Task;

    /// <summary>Why writing ended, if it did; the reading side usually knows more.</summary>
    public MusterException? WriteFailure { get; private set; }

    public void FailWrite(MusterException failure)
    {
        WriteFailure = failure;
        _cut.CancelAfter(SessionLimits.CutMsMax);
    }

    public async ValueTask DisposeAsync()
    {
        // The cut is left to the collector: a write that fails because of this may still want to set its timer.
        await Stream.DisposeAsync();
        _over.TrySetResult();
    }
}
