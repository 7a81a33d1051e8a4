// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Simulator.Formats;

/// <summary>The bytes of a JSON text, the file it is from, and on which line of the file it begins.</summary>
internal sealed class JsonText(string file, byte[] utf8, string prefix = "", long firstLine = 1)
{
    public string File { get; } = file;

    public byte[] Utf8 { get; } = utf8;

    /// <summary>The field whose value the text is; empty for a whole file.</summary>
    public string Prefix { get; } = prefix;

    public long FirstLine { get; } = firstLine;

    public long LineAt(long offset) => FirstLine + Utf8.AsSpan(0, (int)offset).Count((byte)'\n');
}
