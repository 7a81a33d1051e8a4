// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Plm;
using Muster.V1;

namespace Muster.Server.PlmHosting;

/// <summary>One call of AwaitTask that waits; made for it and gone with it.</summary>
internal sealed class AwaitCall(PlmHost host) : ITaskAwaiter
{
    // Its continuation is the call's answer, which must not be written inside the turn that resolves it.
    private readonly TaskCompletionSource<TaskResult> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<TaskResult> Result => _result.Task;

    void ITaskAwaiter.Resolve(uint slot, PlmTime now)
    {
        var writer = host.Writer;
        writer.Clear();
        ResultBytes.WriteResult(writer, host.Options.Arena, slot, now);
        _result.TrySetResult(TaskResult.Parser.ParseFrom(writer.Written));
    }
}
