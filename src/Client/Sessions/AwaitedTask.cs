// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Muster.Client.Sessions;

/// <summary>A submission that somebody awaits: its end, and if asked for its acceptance.</summary>
internal sealed class AwaitedTask : PendingTask
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource? _accepted;

    public AwaitedTask(EncodedTaskOptions options, ReadOnlyMemory<byte> payload, bool awaitsAcceptance)
        : base(options, payload)
    {
        if (awaitsAcceptance)
        {
            _accepted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Completes, always without an exception, when the task has an outcome or a refusal.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Completes when the task has an id, or has ended without one.</summary>
    public Task Accepted => _accepted?.Task ?? Ended;

    public override void OnAccepted() => _accepted?.TrySetResult();

    public override void OnEnded()
    {
        _accepted?.TrySetResult();
        _ended.TrySetResult();
    }
}
