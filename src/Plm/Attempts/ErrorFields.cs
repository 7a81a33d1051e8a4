// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Plm.Attempts;

/// <summary>
/// What the PLM reads of an encoded muster.v1.TaskError: the Register has checked that it is one, and nothing here
/// depends on more than the wire format. Refers to the error's own bytes; what cannot be read counts as absent.
/// </summary>
internal ref struct ErrorFields
{
    public ReadOnlySpan<byte> Code;
    public ReadOnlySpan<byte> Message;
    public ReadOnlySpan<byte> Type;
    public ReadOnlySpan<byte> OutputTail;

    /// <summary>The handler asked not to be run again sooner than this; 0: it did not.</summary>
    public ulong RetryAfterMs;

    /// <summary>The handler said that another attempt would end as this one did.</summary>
    public bool IsFinal;

    public static ErrorFields Read(ReadOnlySpan<byte> error)
    {
        var fields = default(ErrorFields);
        while (TryVarint(ref error, out var tag))
        {
            if (!TryField(ref error, tag, out var number, out var bytes))
            {
                break;
            }

            switch (tag >> 3)
            {
                case 1:
                    fields.Code = bytes;
                    break;
                case 2:
                    fields.Message = bytes;
                    break;
                case 3:
                    fields.Type = bytes;
                    break;
                case 5:
                    fields.OutputTail = bytes;
                    break;
                case 6:
                    fields.RetryAfterMs = number;
                    break;
                case 7:
                    fields.IsFinal = number != 0;
                    break;
                default:
                    break;
            }
        }

        return fields;
    }

    /// <summary>A number of any message; 0 when it has none.</summary>
    public static ulong NumberOf(ReadOnlySpan<byte> message, uint field)
    {
        while (TryVarint(ref message, out var tag) && TryField(ref message, tag, out var number, out _))
        {
            if (tag == field << 3)
            {
                return number;
            }
        }

        return 0;
    }

    private static bool TryField(
        scoped ref ReadOnlySpan<byte> rest, ulong tag, out ulong number, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        number = 0;
        switch (tag & 7)
        {
            case 0:
                return TryVarint(ref rest, out number);
            case 1:
                return TryTake(ref rest, sizeof(ulong), out bytes);
            case 2:
                return TryVarint(ref rest, out var length) && TryTake(ref rest, length, out bytes);
            case 5:
                return TryTake(ref rest, sizeof(uint), out bytes);
            default:
                return false;
        }
    }

    private static bool TryTake(scoped ref ReadOnlySpan<byte> rest, ulong length, out ReadOnlySpan<byte> taken)
    {
        taken = default;
        if (length > (ulong)rest.Length)
        {
            return false;
        }

        taken = rest[..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    private static bool TryVarint(scoped ref ReadOnlySpan<byte> rest, out ulong value)
    {
        value = 0;
        for (var at = 0; at < rest.Length && at < 10; at++)
        {
            value |= (ulong)(rest[at] & 0x7f) << (7 * at);
            if (rest[at] < 0x80)
            {
                rest = rest[(at + 1)..];
                return true;
            }
        }

        return false;
    }
}
