// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading.Tasks;
using Muster.Arena;
using Muster.Arena.Slabs;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Files;

public sealed class PrivateArenaTests : IDisposable
{
    private readonly ArenaMap _map = ArenaFile.CreatePrivate(
        new() { TasksMax = 2_048, PayloadBytesMax = 1 << 20, ResultBytesMax = 8 << 20 }, epoch: 7);

    public void Dispose() => _map.Dispose();

    [Fact]
    public void CreatePrivate_Limits_AllPartsAreThere()
    {
        Assert.Equal(7u, _map.Epoch);
        Assert.NotEqual(0UL, _map.CellId);
        Assert.False(_map.IsReadOnly);
        Assert.True(_map.IsStillLinked());
        Assert.Equal(2_048u, _map.Tasks.Capacity);
        Assert.True(_map.Finished.Capacity >= 2_048 + 1_024);
        Assert.Equal(1, _map.Handlers.Count);
        Assert.All(Enum.GetValues<Role>(), role => Assert.Equal(0u, _map.Holder(role).Pid));
        _map.Results.Bytes(SlabRegion.FirstUnit, 64).Fill(9);
        _map.Ready.CheckInvariants();
    }

    [Fact]
    public void CreatePrivate_TwoArenas_HaveDifferentIds()
    {
        using var other = ArenaFile.CreatePrivate(_map.Limits);
        Assert.NotEqual(_map.CellId, other.CellId);
        Assert.Equal(1u, other.Epoch);
    }

    [Fact]
    public void TryTakeRole_HeldByThisProcess_RefusedUntilGivenUp()
    {
        Assert.True(_map.TryTakeRole(Role.Plm, "unix:/x", out var lease).IsNone);
        Assert.Equal(1u, lease!.Epoch);
        Assert.Equal(FaultCode.RoleTaken, _map.TryTakeRole(Role.Plm, "unix:/y", out var second).Code);
        Assert.Null(second);
        Assert.Equal("unix:/x", _map.Holder(Role.Plm).Addresses);
        lease.Dispose();
        Assert.False(_map.Holder(Role.Plm).IsAlive);
        Assert.True(_map.TryTakeRole(Role.Plm, "unix:/y", out second).IsNone);
        Assert.Equal(2u, second!.Epoch);
    }

    [Fact]
    public void TryTakeRole_AddressesTooLong_Refused()
    {
        Assert.True(_map.TryTakeRole(Role.Plm, new string('x', RoleRow.AddressBytesMax), out _).IsNone);
        Assert.Equal(RoleRow.AddressBytesMax, _map.Holder(Role.Plm).Addresses.Length);
        var fault = _map.TryTakeRole(Role.Register, new string('x', RoleRow.AddressBytesMax + 1), out _);
        Assert.Equal(FaultCode.AddressInvalid, fault.Code);
    }

    [Fact]
    public async Task Holder_RoleChangesHandsMeanwhile_NeverMixesTwoHolders()
    {
        var stop = false;
        var writer = Task.Run(() =>
        {
            for (var turn = 0; turn < 20_000; turn++)
            {
                var letter = (char)('a' + (turn % 26));
                Assert.True(_map.TryTakeRole(Role.Plm, new string(letter, 1 + (turn % 200)), out var lease).IsNone);
                lease!.Dispose();
            }

            System.Threading.Volatile.Write(ref stop, true);
        });
        var epoch = 0u;
        while (!System.Threading.Volatile.Read(ref stop) && !writer.IsFaulted)
        {
            var holder = _map.Holder(Role.Plm);
            Assert.True(holder.Epoch >= epoch);
            epoch = holder.Epoch;
            Assert.True(holder.Addresses.Distinct().Count() <= 1, holder.Addresses);
            Assert.Equal(epoch == 0 ? 0 : 1 + ((int)(epoch - 1) % 200), holder.Addresses.Length);
        }

        await writer;
    }

    [Fact]
    public async Task Add_FromManyThreads_NothingIsLost()
    {
        var adders = Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
            {
                _map.Add(CellCounter.TasksNow, 3);
                _map.Add(CellCounter.TasksNow, -1);
            }
        }));
        await Task.WhenAll(adders);
        Assert.Equal(80_000UL, _map.Counter(CellCounter.TasksNow));
        var others = Enum.GetValues<CellCounter>().Where(counter => counter != CellCounter.TasksNow);
        Assert.All(others, counter => Assert.Equal(0UL, _map.Counter(counter)));
    }
}
