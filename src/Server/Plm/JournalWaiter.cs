// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Muster.Core;
using Muster.Server.Endpoint;

namespace Muster.Server.PlmHosting;

/// <summary>A call whose answer waits for the journal. Made and resolved under the turn's lock.</summary>
internal sealed class JournalWaiter(ulong sequence, byte durability)
{
    private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ulong Sequence { get; } = sequence;

    public byte Durability { get; } = durability;

    public Task Task => _reached.Task;

    public void Resolve(Fault fault)
    {
        if (fault.IsNone)
        {
            _reached.SetResult();
        }
        else
        {
            _reached.SetException(FaultStatus.ToException(fault));
        }
    }
}
