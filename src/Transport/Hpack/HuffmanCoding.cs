// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Hpack;

/// <summary>
/// The string code of RFC 7541 appendix B. It is canonical, so the lengths of its codes define it: codes of one length
/// are consecutive numbers in the order of their symbols, and each length goes on where the shorter one ended.
/// </summary>
internal static class HuffmanCoding
{
    private const int EndOfString = 256;
    private const int LengthMin = 5;
    private const int LengthMax = 30;

    private static readonly byte[] s_lengths =
    [
        13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
        28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
        6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
        5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
        13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
        7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
        15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
        6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
        20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
        24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
        22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
        21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
        26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
        19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
        20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
        26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
        30,
    ];

    // By length: symbols in order of their codes, where they start, and the first code beyond, aligned to 32 bits.
    private static readonly ushort[] s_symbols = new ushort[257];
    private static readonly int[] s_firstSymbol = new int[LengthMax + 1];
    private static readonly uint[] s_firstCode = new uint[LengthMax + 1];
    private static readonly ulong[] s_beyond = new ulong[LengthMax + 1];

    static HuffmanCoding()
    {
        uint code = 0;
        var count = 0;
        for (var length = LengthMin; length <= LengthMax; length++)
        {
            s_firstSymbol[length] = count;
            s_firstCode[length] = code;
            for (var symbol = 0; symbol <= EndOfString; symbol++)
            {
                if (s_lengths[symbol] == length)
                {
                    s_symbols[count++] = (ushort)symbol;
                    code++;
                }
            }

            s_beyond[length] = (ulong)code << (32 - length);
            code <<= 1;
        }
    }

    /// <summary>Most bytes that a coded string can become: the shortest code has five bits.</summary>
    public static int DecodedLengthMax(int codedLength) => codedLength * 8 / LengthMin;

    /// <summary>
    /// Decodes into <paramref name="plain"/> and gives its length, or -1 when the code is damaged: holds the symbol for
    /// the end, or is padded by anything but the beginning of that symbol.
    /// </summary>
    public static int Decode(ReadOnlySpan<byte> coded, Span<byte> plain)
    {
        ulong bits = 0;
        var available = 0;
        var next = 0;
        var written = 0;
        while (true)
        {
            while (available <= 32 && next < coded.Length)
            {
                bits |= (ulong)coded[next++] << (56 - available);
                available += 8;
            }

            var window = (uint)(bits >> 32);
            var length = LengthMin;
            while (length <= LengthMax && window >= s_beyond[length])
            {
                length++;
            }

            if (length > available || length > LengthMax)
            {
                return IsPadding(bits, available) ? written : -1;
            }

            var code = window >> (32 - length);
            var symbol = s_symbols[s_firstSymbol[length] + (int)(code - s_firstCode[length])];
            if (symbol == EndOfString)
            {
                return -1;
            }

            plain[written++] = (byte)symbol;
            bits <<= length;
            available -= length;
        }
    }

    private static bool IsPadding(ulong bits, int available) =>
        available < 8 && (bits >> (64 - Math.Max(available, 1))) == (available == 0 ? 0UL : (1UL << available) - 1);
}
