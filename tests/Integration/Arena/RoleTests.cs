// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Linq;
using Muster.Arena;
using Muster.Core;
using Xunit;

namespace Muster.Integration.Arena;

/// <summary>One holder per role, whoever it is and however it ends; and looking on from outside.</summary>
public sealed class RoleTests : IDisposable
{
    private readonly TestCell _cell = new();

    public void Dispose() => _cell.Dispose();

    [Fact]
    public void TryTakeRole_OtherProcessHoldsIt_RefusedNamingItsPid()
    {
        using var map = _cell.Open();
        using var dummy = Dummy.StartReady("role", _cell.Name, "Plm");
        var fault = map.TryTakeRole(Role.Plm, "x", out var lease);
        Assert.Equal(FaultCode.RoleTaken, fault.Code);
        Assert.Contains(dummy.Pid.ToString(CultureInfo.InvariantCulture), fault.Message, StringComparison.Ordinal);
        Assert.Null(lease);
        Assert.True(map.TryTakeRole(Role.Scheduler, "x", out lease).IsNone);
    }

    [Fact]
    public void TryTakeRole_HolderWasKilled_TakenWithNextEpoch()
    {
        using var map = _cell.Open();
        using (var dummy = Dummy.StartReady("role", _cell.Name, "Register"))
        {
            var first = map.Holder(Role.Register);
            Assert.Equal((dummy.Pid, 1u, true), (first.Pid, first.Epoch, first.IsAlive));
            dummy.Kill();
        }

        Assert.False(map.Holder(Role.Register).IsAlive);
        Assert.True(map.TryTakeRole(Role.Register, "unix:/a,http://127.0.0.1:1", out var lease).IsNone);
        Assert.Equal(2u, lease!.Epoch);
        var holder = map.Holder(Role.Register);
        Assert.Equal(((uint)Environment.ProcessId, "unix:/a,http://127.0.0.1:1"), (holder.Pid, holder.Addresses));
        Assert.True(holder.IsAlive);
    }

    [Fact]
    public void TryTakeRole_HolderIsStopped_StillTaken()
    {
        using var map = _cell.Open();
        using var dummy = Dummy.StartReady("role", _cell.Name, "Plm");
        dummy.Stop();
        Assert.Equal(FaultCode.RoleTaken, map.TryTakeRole(Role.Plm, "x", out _).Code);
        Assert.True(map.Holder(Role.Plm).IsAlive);
        dummy.Continue();
    }

    [Fact]
    public void TryTakeRole_SameProcess_RefusedUntilGivenUp()
    {
        using var first = _cell.Open();
        using var second = _cell.Open();
        Assert.True(first.TryTakeRole(Role.Plm, "x", out var lease).IsNone);
        Assert.Equal(FaultCode.RoleTaken, first.TryTakeRole(Role.Plm, "x", out _).Code);
        Assert.Equal(FaultCode.RoleTaken, second.TryTakeRole(Role.Plm, "x", out _).Code);
        lease!.Dispose();
        lease.Dispose();
        Assert.False(first.Holder(Role.Plm).IsAlive);
        Assert.True(second.TryTakeRole(Role.Plm, "x", out _).IsNone);
    }

    [Fact]
    public void TryTakeRole_ArenaWasRemoved_RefusedAsMissing()
    {
        using var map = _cell.Open();
        Assert.True(map.IsStillLinked());
        File.Delete(_cell.Path);
        Assert.False(map.IsStillLinked());
        Assert.Equal(FaultCode.ArenaMissing, map.TryTakeRole(Role.Plm, "x", out _).Code);
        using var next = _cell.Open();
        Assert.False(map.IsStillLinked());
        Assert.NotEqual(map.CellId, next.CellId);
        Assert.True(next.TryTakeRole(Role.Plm, "x", out _).IsNone);
    }

    [Fact]
    public void Dispose_RolesAreHeld_TheyAreGivenUpFirst()
    {
        using var watcher = _cell.Open();
        var map = _cell.Open();
        Assert.True(map.TryTakeRole(Role.Plm, "x", out var lease).IsNone);
        map.Dispose();
        lease!.Dispose();
        Assert.False(watcher.Holder(Role.Plm).IsAlive);
        Assert.True(watcher.TryTakeRole(Role.Plm, "x", out _).IsNone);
    }

    [Fact]
    public void Attach_ReadOnlyWhileHolderOfEveryLockIsStopped_SeesEverything()
    {
        using var map = _cell.Open();
        map.Add(CellCounter.Submitted, 5);
        map.Tasks.HighWater = 3;
        using var dummy = Dummy.StartReady("hold", _cell.Name);
        dummy.Stop();
        Assert.True(ArenaFile.Attach(_cell.Name, readOnly: true, out var view).IsNone);
        using (view)
        {
            Assert.True(view!.IsReadOnly);
            Assert.Equal(map.CellId, view.CellId);
            Assert.Equal(5UL, view.Counter(CellCounter.Submitted));
            Assert.Equal(3u, view.Tasks.HighWater);
            Assert.Equal(dummy.Pid, view.Holder(Role.Register).Pid);
            Assert.Equal("muster.command", view.Handlers.Name(0));
            Assert.Equal(0UL, view.Ready.Count);
            Assert.Throws<InvariantException>(() => view.Add(CellCounter.Submitted, 1));
            Assert.Throws<InvariantException>(() => view.TryTakeRole(Role.Plm, "x", out _));
            Assert.Throws<InvariantException>(() => view.Wake(Role.Plm).Signal());
            Assert.Throws<InvariantException>(() => view.NamesLock.Enter().Dispose());
        }

        Assert.True(dummy.RunsFor(0));
    }

    [Fact]
    public void Attach_NoSuchCell_Missing()
    {
        Assert.Equal(FaultCode.ArenaMissing, ArenaFile.Attach(_cell.Name, readOnly: true, out var map).Code);
        Assert.Null(map);
    }

    [Fact]
    public void Remove_RoleIsAlive_RefusedThenRemovedWithAllItsFiles()
    {
        using var map = _cell.Open();
        Assert.True(map.TryTakeRole(Role.Plm, "x", out var lease).IsNone);
        Assert.Equal(FaultCode.RoleTaken, ArenaFile.Remove(_cell.Name).Code);
        Assert.True(map.IsStillLinked());
        lease!.Dispose();
        Assert.True(ArenaFile.Remove(_cell.Name).IsNone);
        Assert.False(map.IsStillLinked());
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_cell.Path)!, _cell.Name + ".*"));
        Assert.True(ArenaFile.Remove(_cell.Name).IsNone);
    }

    [Fact]
    public void OpenOrCreate_ManyProcessesAtOnce_OneMakesItAndAllShareIt()
    {
        var dummies = Enumerable.Range(0, 6).Select(_ => Dummy.Start("open", _cell.Name, "1024", "1048576", "8388608"))
            .ToArray();
        try
        {
            Assert.All(dummies, dummy => Assert.StartsWith("ok ", dummy.ReadLine(), StringComparison.Ordinal));
        }
        finally
        {
            Array.ForEach(dummies, dummy => dummy.Dispose());
        }

        // One inode, no leftovers: had two made it, one would have been moved aside.
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_cell.Path)!, _cell.Name + ".arena.bad-*"));
    }
}
