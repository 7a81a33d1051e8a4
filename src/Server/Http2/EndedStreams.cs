// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Http2;

/// <summary>
/// How the last streams of a connection ended, since RFC 9113 section 5.1 judges a late frame by that. Fixed size:
/// what is older counts as never opened, which only a peer that is hundreds of streams behind can notice. Guarded by
/// the connection's lock.
/// </summary>
internal sealed class EndedStreams
{
    private readonly (int Id, StreamEnd End)[] _ring = new (int, StreamEnd)[ServerLimits.EndedStreamsMax];
    private int _next;

    public void Add(int id, StreamEnd end)
    {
        _ring[_next] = (id, end);
        _next = (_next + 1) % _ring.Length;
    }

    public StreamEnd Find(int id)
    {
        foreach (var (known, end) in _ring)
        {
            if (known == id)
            {
                return end;
            }
        }

        return StreamEnd.Unknown;
    }
}
