// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;

namespace Muster.Arena.Native;

/// <summary>
/// argv and envp in one block of native memory: both pointer tables, then the texts. Lives for one call.
/// </summary>
internal readonly unsafe ref struct SpawnTexts : IDisposable
{
    private readonly byte* _block;

    public SpawnTexts(ReadOnlySpan<byte[]> arguments, ReadOnlySpan<byte[]> environment)
    {
        var pointers = arguments.Length + environment.Length + 2;
        var bytes = (nuint)pointers * (nuint)sizeof(byte*);
        bytes += TextBytes(arguments) + TextBytes(environment);
        _block = (byte*)NativeMemory.Alloc(bytes);
        Arguments = (byte**)_block;
        Environment = Arguments + arguments.Length + 1;
        var text = _block + ((nuint)pointers * (nuint)sizeof(byte*));
        text = Fill(Arguments, arguments, text);
        Fill(Environment, environment, text);
    }

    public byte** Arguments { get; }

    public byte** Environment { get; }

    public void Dispose() => NativeMemory.Free(_block);

    private static nuint TextBytes(ReadOnlySpan<byte[]> texts)
    {
        nuint total = 0;
        foreach (var text in texts)
        {
            total += (nuint)text.Length;
        }

        return total;
    }

    private static byte* Fill(byte** table, ReadOnlySpan<byte[]> texts, byte* place)
    {
        for (var index = 0; index < texts.Length; index++)
        {
            table[index] = place;
            texts[index].CopyTo(new Span<byte>(place, texts[index].Length));
            place += texts[index].Length;
        }

        table[texts.Length] = null;
        return place;
    }
}
