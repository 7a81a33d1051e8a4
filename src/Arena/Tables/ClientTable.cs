// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using Muster.Core;

namespace Muster.Arena.Tables;

/// <summary>
/// The client sessions of an arena. The PLM is the only writer, so no word needs an order for it; other processes read
/// rows for people only and may meet one that is being written. A zeroed area is a table of free rows.
/// </summary>
internal sealed unsafe class ClientTable
{
    // Never read: it keeps the pages under the pointers mapped for as long as this object lives.
    private readonly ArenaMemory _memory;
    private readonly ClientRow* _rows;

    internal ClientTable(ArenaMemory memory, long offset, uint capacity)
    {
        Invariant.That(capacity > 0);
        Invariant.That(sizeof(ClientRow) == ArenaLayout.ClientRowBytes);
        _memory = memory;
        _rows = (ClientRow*)memory.At(
            offset + ArenaLayout.ClientTableHeaderBytes, (long)capacity * ArenaLayout.ClientRowBytes);
        Capacity = capacity;
    }

    /// <summary>Number of rows.</summary>
    public uint Capacity { get; }

    /// <summary>The row itself, in shared memory. The index is checked.</summary>
    public ref ClientRow this[uint row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            Invariant.That(row < Capacity);
            return ref _rows[row];
        }
    }

    /// <summary>The name that the client gave itself.</summary>
    public string Name(uint row) => RowText.Read(NameField(row));

    /// <summary>Writes the name, cut at a character's border to what fits.</summary>
    public void SetName(uint row, string name) => RowText.Write(NameField(row), name);

    private Span<byte> NameField(uint row)
    {
        Invariant.That(row < Capacity);
        return new Span<byte>(_rows[row].Name, ClientRow.NameBytes);
    }
}
