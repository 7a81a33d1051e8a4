// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Hpack;

/// <summary>
/// The part of the table that the peer's encoder fills, newest first. Bounded by bytes; the oldest entries go when a
/// new one needs room.
/// </summary>
internal sealed class DynamicTable(int bytesMax)
{
    private readonly int _bytesMax = bytesMax;

    // An entry counts at least 32 bytes, so this many always fit.
    private readonly HeaderField?[] _ring = new HeaderField?[(bytesMax / HeaderField.Overhead) + 1];
    private int _newest;
    private int _bytes;
    private int _limit = bytesMax;

    public int Count { get; private set; }

    public int Bytes => _bytes;

    /// <summary>Entry by age: 0 is the newest.</summary>
    public HeaderField Get(int age) => _ring[(_newest - age + _ring.Length) % _ring.Length]!;

    /// <summary>An entry larger than the table empties it and is not kept.</summary>
    public void Add(HeaderField field)
    {
        EvictTo(_limit - field.Size);
        if (field.Size > _limit)
        {
            return;
        }

        _newest = (_newest + 1) % _ring.Length;
        _ring[_newest] = field;
        _bytes += field.Size;
        Count++;
    }

    /// <summary>The peer asks for another size; false when it is larger than we allowed.</summary>
    public bool TryResize(int bytes)
    {
        if (bytes > _bytesMax)
        {
            return false;
        }

        _limit = bytes;
        EvictTo(bytes);
        return true;
    }

    private void EvictTo(int bytes)
    {
        while (Count > 0 && _bytes > bytes)
        {
            var oldest = (_newest - Count + 1 + _ring.Length) % _ring.Length;
            _bytes -= _ring[oldest]!.Size;
            _ring[oldest] = null;
            Count--;
        }
    }
}
