// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using Muster.Core;

namespace Muster.Plm;

/// <summary>
/// Names of codes and exception types while a message is read, one a line: as many as a profile may have, and whether
/// there were more. A value without references, so that reading a batch allocates nothing.
/// </summary>
internal struct FinalErrorNames
{
    private Text _text;
    private int _length;

    /// <summary>There were more, or one that is no name: the batch is to be refused.</summary>
    public bool IsBad { get; private set; }

    /// <summary>The names in UTF-8, each followed by a line feed.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public readonly ReadOnlySpan<byte> Lines => ((ReadOnlySpan<byte>)_text)[.._length];

    public void Add(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty
            || name.ContainsAnyInRange((byte)0, (byte)32)
            || _length + name.Length + 1 > TaskLimits.FinalErrorsBytesMax)
        {
            IsBad = true;
            return;
        }

        Span<byte> text = _text;
        name.CopyTo(text[_length..]);
        _length += name.Length;
        text[_length++] = (byte)'\n';
    }

    /// <summary>
    /// Whether one of these lines names the code, or the type: in full, or without its name space.
    /// </summary>
    public static bool Matches(ReadOnlySpan<byte> lines, ReadOnlySpan<byte> code, ReadOnlySpan<byte> type)
    {
        var shortType = type[(type.LastIndexOf((byte)'.') + 1)..];
        while (lines.IndexOf((byte)'\n') is var end and >= 0)
        {
            var name = lines[..end];
            if (name.SequenceEqual(code)
                || (!type.IsEmpty && (name.SequenceEqual(type) || name.SequenceEqual(shortType))))
            {
                return true;
            }

            lines = lines[(end + 1)..];
        }

        return false;
    }

    [InlineArray(TaskLimits.FinalErrorsBytesMax)]
    private struct Text
    {
        private byte _first;
    }
}
