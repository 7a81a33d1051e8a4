// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Muster.Client.Sessions;

/// <summary>A submission that waits for room in the queue; completes when it is in it.</summary>
internal sealed class SubmitWaiter(PendingTask task)
    : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public PendingTask Pending { get; } = task;
}
