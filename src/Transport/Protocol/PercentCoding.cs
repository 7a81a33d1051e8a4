// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;

namespace Muster.Transport.Protocol;

/// <summary>
/// The coding of grpc-message: UTF-8 in which everything but printable ASCII, and the percent sign itself, is written
/// as %XX. Reading never fails: what is not a valid escape stays as it is, and what is not UTF-8 becomes U+FFFD.
/// </summary>
internal static class PercentCoding
{
    public static string Encode(string text)
    {
        var plain = true;
        foreach (var letter in text)
        {
            plain &= IsPlain(letter);
        }

        if (plain)
        {
            return text;
        }

        var coded = new StringBuilder(text.Length + 16);
        foreach (var part in Encoding.UTF8.GetBytes(text))
        {
            if (IsPlain((char)part))
            {
                coded.Append((char)part);
            }
            else
            {
                coded.Append('%').Append(HexDigit(part >> 4)).Append(HexDigit(part & 15));
            }
        }

        return coded.ToString();
    }

    public static string Decode(ReadOnlySpan<byte> coded)
    {
        if (!coded.Contains((byte)'%'))
        {
            return Encoding.UTF8.GetString(coded);
        }

        var bytes = new byte[coded.Length];
        var length = 0;
        for (var i = 0; i < coded.Length; i++)
        {
            if (coded[i] == '%' && i + 2 < coded.Length
                && HexValue(coded[i + 1]) is >= 0 and var high && HexValue(coded[i + 2]) is >= 0 and var low)
            {
                bytes[length++] = (byte)((high << 4) | low);
                i += 2;
            }
            else
            {
                bytes[length++] = coded[i];
            }
        }

        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private static bool IsPlain(char letter) => letter is >= ' ' and <= '~' and not '%';

    private static char HexDigit(int value) => "0123456789ABCDEF"[value];

    private static int HexValue(byte digit) => digit switch
    {
        >= (byte)'0' and <= (byte)'9' => digit - '0',
        >= (byte)'a' and <= (byte)'f' => digit - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => digit - 'A' + 10,
        _ => -1,
    };
}
