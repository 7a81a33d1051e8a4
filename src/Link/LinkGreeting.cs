// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;

namespace Muster.Link;

/// <summary>
/// What the two sides say over the Unix socket before there is a link. The client: the magic, one byte with the length
/// of the method's full name, the name. The server: the magic and one byte, 0 when the memory is in the same message,
/// otherwise why not. Another version has another magic, and is answered by closing.
/// </summary>
internal static class LinkGreeting
{
    public const int RequestBytesMax = MagicBytes + 1 + byte.MaxValue;
    public const int AnswerBytes = MagicBytes + 1;
    public const byte Accepted = 0;
    public const byte NoMethod = 1;
    public const byte NoRoom = 2;

    private const int MagicBytes = 8;

    private static ReadOnlySpan<byte> Magic => "MUSTERL2"u8;

    /// <summary>The path of the socket for links beside that of gRPC.</summary>
    public static string PathOf(string socketPath) => socketPath + ".link";

    public static byte[] Request(string method) => [.. Magic, (byte)method.Length, .. Encoding.ASCII.GetBytes(method)];

    /// <summary>Whether these bytes are a request, and a whole one.</summary>
    public static bool TryReadRequest(ReadOnlySpan<byte> bytes, out string method)
    {
        method = "";
        if (bytes.Length <= MagicBytes
            || !bytes.StartsWith(Magic)
            || bytes.Length != MagicBytes + 1 + bytes[MagicBytes])
        {
            return false;
        }

        method = Encoding.ASCII.GetString(bytes[(MagicBytes + 1)..]);
        return true;
    }

    public static byte[] Answer(byte outcome) => [.. Magic, outcome];

    public static bool IsAccepted(ReadOnlySpan<byte> answer) =>
        answer.Length == AnswerBytes && answer.StartsWith(Magic) && answer[MagicBytes] == Accepted;
}
