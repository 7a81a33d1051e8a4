// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.InteropServices;

namespace Muster.Client.Sessions;

/// <summary>
/// Whom to tell, gathered while the ledger's lock is held and told after it was left. Belongs to one loop; reused.
/// </summary>
internal sealed class SessionEvents
{
    public List<PendingTask> Accepted { get; } = [];

    public List<PendingTask> Ended { get; } = [];

    /// <summary>Accepted tasks whose results have to be fetched; the engine takes them before the others are told.
    /// </summary>
    public List<PendingTask> Duplicates { get; } = [];

    public void Tell()
    {
        foreach (var task in Accepted)
        {
            task.OnAccepted();
        }

        for (var ended = CollectionsMarshal.AsSpan(Ended); !ended.IsEmpty;)
        {
            ended = ended[ended[0].EndTogether(ended)..];
        }

        Accepted.Clear();
        Ended.Clear();
    }
}
