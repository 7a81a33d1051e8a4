// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Plm;

namespace Muster.Simulation.Roles;

/// <summary>The journal as the core gets it, with word to the observer while it is replayed.</summary>
internal sealed class WatchedJournal(IPlmJournal journal, ArenaObserver observer) : IPlmJournal
{
    public ulong Lineage => journal.Lineage;

    public Fault Refusal => journal.Refusal;

    public ulong LastSequence => journal.LastSequence;

    public bool WantsSnapshot => journal.WantsSnapshot;

    public bool IsBehind => journal.IsBehind;

    public bool IsOverrun => journal.IsOverrun;

    public ulong Append(ushort kind, ReadOnlySpan<byte> body) => journal.Append(kind, body);

    public Fault Replay(FactVisitor visit)
    {
        observer.IsReplaying = true;
        var fault = journal.Replay(visit);
        observer.IsReplaying = false;
        return fault;
    }

    public void ForgetBefore(ulong sequence) => journal.ForgetBefore(sequence);
}
