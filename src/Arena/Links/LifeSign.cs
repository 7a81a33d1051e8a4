// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace Muster.Arena.Links;

/// <summary>
/// A count for each end of a link, which it raises while it runs: the socket tells the end of a process, but not that
/// one has stopped. Each end writes its own and only compares the other's, so that nothing in it can mislead more than
/// silence does.
/// </summary>
internal sealed unsafe class LifeSign
{
    // Keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly int* _own;
    private readonly int* _peer;
    private int _seen;

    public LifeSign(ArenaMemory memory, long own, long peer)
    {
        _memory = memory;
        _own = (int*)memory.At(own, sizeof(int));
        _peer = (int*)memory.At(peer, sizeof(int));
    }

    /// <summary>Says that this end lives.</summary>
    public void Give()
    {
        Core.Invariant.That(!_memory.IsReadOnly);
        Volatile.Write(ref *_own, *_own + 1);
    }

    /// <summary>Whether the other end has said so since the last look.</summary>
    public bool IsNew()
    {
        var count = Volatile.Read(ref *_peer);
        var isNew = count != _seen;
        _seen = count;
        return isNew;
    }
}
