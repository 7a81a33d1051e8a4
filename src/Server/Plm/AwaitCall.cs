// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Plm;
using Muster.Transport.Wire;

namespace Muster.Server.PlmHosting;

/// <summary>
/// One call of AwaitTask that waits; made for it and gone with it. Its result is a muster.v1.TaskResult as bytes, which
/// the call reads for itself: an error in it is a worker's own text, and a turn must not fail because of that.
/// </summary>
internal sealed class AwaitCall(PlmHost host) : ITaskAwaiter
{
    // Its continuation is the call's answer, which must not be written inside the turn that resolves it.
    private readonly TaskCompletionSource<byte[]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<byte[]> Result => _result.Task;

    void ITaskAwaiter.Resolve(uint slot, PlmTime now)
    {
        // Not the host's writer: a session's turn that cancels the task may be writing its own answer there.
        using var writer = new ProtoWriter();
        ResultBytes.WriteResult(writer, host.Options.Arena, slot, now);
        _result.TrySetResult(writer.Written.ToArray());
    }
}
