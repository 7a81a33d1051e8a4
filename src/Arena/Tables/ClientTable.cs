// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Arena.Tables;

/// <summary>The client sessions of an arena. The PLM is the only writer.</summary>
internal sealed class ClientTable
{
    public uint Capacity => throw new NotImplementedException();

    public ref ClientRow this[uint row] => throw new NotImplementedException();

    public string Name(uint row) => throw new NotImplementedException();

    public void SetName(uint row, string name) => throw new NotImplementedException();
}
