// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Tables;

public sealed class ClientTableTests : IDisposable
{
    private readonly PrivateTables _arena = new();

    public void Dispose() => _arena.Dispose();

    [Fact]
    public void Rows_AreSeparateAndBounded()
    {
        var clients = _arena.Clients;
        Assert.Equal(16u, clients.Capacity);
        for (var row = 0u; row < clients.Capacity; row++)
        {
            Assert.Equal(0UL, clients[row].ClientId);
            clients[row].ClientId = row + 100;
            clients.SetName(row, $"client {row}");
        }

        for (var row = 0u; row < clients.Capacity; row++)
        {
            Assert.Equal((row + 100, $"client {row}"), (clients[row].ClientId, clients.Name(row)));
        }

        Assert.Throws<InvariantException>(() => clients[16].ClientId);
        Assert.Throws<InvariantException>(() => clients.Name(16));
    }

    [Fact]
    public void SetName_LongerThanTheField_IsCut()
    {
        _arena.Clients.SetName(3, new string('n', 200));
        Assert.Equal(new string('n', 63), _arena.Clients.Name(3));
        Assert.Equal("", _arena.Clients.Name(4));
    }
}
