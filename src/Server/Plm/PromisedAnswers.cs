// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;

namespace Muster.Server.PlmHosting;

/// <summary>
/// Answers of one stream that wait for the journal, first in, first out. Owner: the stream, inside turns. Capacity: as
/// the answers to all tasks that a session may have outstanding; nothing is refused. Grows to what has waited together,
/// and then allocates nothing.
/// </summary>
internal sealed class PromisedAnswers
{
    private readonly Queue<(ulong Sequence, byte Durability, int Bytes)> _promises = new();
    private byte[] _bytes = [];
    private int _begin;
    private int _end;

    public int Count => _promises.Count;

    public void Enqueue(ulong sequence, byte durability, ReadOnlySpan<byte> answer)
    {
        Reserve(answer.Length);
        answer.CopyTo(_bytes.AsSpan(_end));
        _end += answer.Length;
        _promises.Enqueue((sequence, durability, answer.Length));
    }

    /// <summary>The first one, whose bytes are good until the next change; false when there is none.</summary>
    public bool TryPeek(out ulong sequence, out byte durability, out ReadOnlySpan<byte> answer)
    {
        var found = _promises.TryPeek(out var promise);
        (sequence, durability) = (promise.Sequence, promise.Durability);
        answer = _bytes.AsSpan(_begin, promise.Bytes);
        return found;
    }

    /// <summary>Drops the first one.</summary>
    public void Dequeue()
    {
        _begin += _promises.Dequeue().Bytes;
        if (_promises.Count == 0)
        {
            (_begin, _end) = (0, 0);
        }
    }

    public void Clear()
    {
        _promises.Clear();
        (_begin, _end) = (0, 0);
    }

    private void Reserve(int added)
    {
        if (_bytes.Length - _end >= added)
        {
            return;
        }

        // Room that came free in front is used before more is taken, but not for moving nearly everything each time.
        var used = _end - _begin;
        var target = used + added > _bytes.Length / 2 ? new byte[Math.Max(4_096, 2 * (used + added))] : _bytes;
        _bytes.AsSpan(_begin, used).CopyTo(target);
        (_bytes, _begin, _end) = (target, 0, used);
    }
}
