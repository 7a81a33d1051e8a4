// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Text;
using Muster.Core;

namespace Muster.Plm;

/// <summary>The rule for names of handlers: 1 to 128 bytes of UTF-8, printable, without white space.</summary>
internal static class HandlerName
{
    public static bool IsValid(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty || name.Length > TaskLimits.HandlerNameBytesMax)
        {
            return false;
        }

        while (!name.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(name, out var rune, out var bytes) != OperationStatus.Done
                || !TaskTypeName.IsPrintable(rune))
            {
                return false;
            }

            name = name[bytes..];
        }

        return true;
    }
}
