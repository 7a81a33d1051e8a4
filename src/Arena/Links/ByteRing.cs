// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading;
using Muster.Core;

namespace Muster.Arena.Links;

/// <summary>
/// One direction of a link: bytes from one process to another, in shared memory. One producer, one consumer; each holds
/// a ByteRing of its own over the same bytes and uses its half alone.
/// <para>
/// Nothing that the other process writes is trusted: each side keeps its own position to itself and only publishes it,
/// and a position of the other that lies outside the ring makes <see cref="IsBroken"/> true for good. Bytes are copied
/// out before anybody looks at them.
/// </para>
/// <para>
/// Room: a producer that finds too little asks for it, and looks once more; the consumer, when it has freed half of the
/// ring, takes the request down and tells. Both do so behind a full fence, as in <see cref="Locks.WakeWord"/>.
/// </para>
/// </summary>
internal sealed unsafe class ByteRing
{
    // Keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ulong* _tail;
    private readonly ulong* _head;
    private readonly int* _wantsRoom;
    private readonly byte* _bytes;
    private readonly uint _mask;

    // The tail of a producer, the head of a consumer; what the other has published of its own was seen last as _seen.
    private ulong _position;
    private ulong _seen;

    /// <param name="memory">The link's.</param>
    /// <param name="words">Three cache lines: tail, head, and the wish for room.</param>
    /// <param name="offset">Where the bytes begin.</param>
    /// <param name="capacity">How many they are; a power of two.</param>
    public ByteRing(ArenaMemory memory, long words, long offset, int capacity)
    {
        Invariant.That(int.IsPow2(capacity));
        _memory = memory;
        _tail = (ulong*)memory.At(words, sizeof(ulong));
        _head = (ulong*)memory.At(words + 64, sizeof(ulong));
        _wantsRoom = (int*)memory.At(words + 128, sizeof(int));
        _bytes = memory.At(offset, capacity);
        _mask = (uint)capacity - 1;
    }

    /// <summary>The other side has published what cannot be; nothing here is used any more.</summary>
    public bool IsBroken { get; private set; }

    public int Capacity => (int)_mask + 1;

    /// <summary>Producer: copies in what fits; it is seen with the next <see cref="Publish"/>.</summary>
    /// <returns>How many bytes fitted.</returns>
    public int Write(ReadOnlySpan<byte> bytes)
    {
        if (IsBroken)
        {
            return 0;
        }

        var room = Capacity - (int)(_position - _seen);
        if (room < bytes.Length)
        {
            var head = Volatile.Read(ref *_head);
            var used = _position - head;
            if (used > (ulong)Capacity)
            {
                // Never kept: the room that a next write counts from it would reach beyond the ring.
                IsBroken = true;
                return 0;
            }

            _seen = head;
            room = Capacity - (int)used;
        }

        var count = Math.Min(room, bytes.Length);
        var at = (int)((uint)_position & _mask);
        var first = Math.Min(count, Capacity - at);
        bytes[..first].CopyTo(new Span<byte>(_bytes + at, first));
        bytes[first..count].CopyTo(new Span<byte>(_bytes, count - first));
        _position += (uint)count;
        return count;
    }

    /// <summary>Producer: shows what was written to the consumer, who is then to be told.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Publish() => Volatile.Write(ref *_tail, _position);

    /// <summary>Producer: the consumer is to tell when there is room. Look once more after it.</summary>
    public void AskForRoom()
    {
        Volatile.Write(ref *_wantsRoom, 1);
        Interlocked.MemoryBarrier();
    }

    /// <summary>Consumer: bytes that are there.</summary>
    public int Available()
    {
        var tail = Volatile.Read(ref *_tail);
        var available = tail - _position;
        if (IsBroken || available > (ulong)Capacity)
        {
            IsBroken = true;
            return 0;
        }

        _seen = tail;
        return (int)available;
    }

    /// <summary>Consumer: copies out bytes that <see cref="Available"/> has counted.</summary>
    public void Read(Span<byte> place)
    {
        Invariant.That(_seen - _position >= (ulong)place.Length);
        var at = (int)((uint)_position & _mask);
        var first = Math.Min(place.Length, Capacity - at);
        new ReadOnlySpan<byte>(_bytes + at, first).CopyTo(place);
        new ReadOnlySpan<byte>(_bytes, place.Length - first).CopyTo(place[first..]);
        _position += (uint)place.Length;
    }

    /// <summary>Consumer: gives the room of what was read back.</summary>
    /// <returns>Whether the producer waits for it and is to be told.</returns>
    public bool Release()
    {
        Volatile.Write(ref *_head, _position);
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref *_wantsRoom) == 0 || Volatile.Read(ref *_tail) - _position > (ulong)Capacity / 2)
        {
            return false;
        }

        Volatile.Write(ref *_wantsRoom, 0);
        return true;
    }
}
