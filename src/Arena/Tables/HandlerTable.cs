// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Tables;

/// <summary>
/// Names of handlers, each stored once for the arena's life: 1,024 rows of 128 bytes. PLM (submissions) and Register
/// (registrations) add rows under the names lock; readers need none, because a row is written before the count.
/// Index 0 is always <see cref="Core.TaskLimits.CommandHandler"/>. Each process keeps its own dictionary of the names.
/// </summary>
internal sealed class HandlerTable
{
    public int Count => throw new NotImplementedException();

    /// <summary>The index of a UTF-8 name, added when new; false when the table is full. The name was validated before.</summary>
    public bool TryIntern(ReadOnlySpan<byte> name, out ushort index) => throw new NotImplementedException();

    /// <summary>The index of a name that is there.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out ushort index) => throw new NotImplementedException();

    public string Name(ushort index) => throw new NotImplementedException();

    /// <summary>The name as it goes on the wire.</summary>
    public ReadOnlySpan<byte> NameUtf8(ushort index) => throw new NotImplementedException();
}
