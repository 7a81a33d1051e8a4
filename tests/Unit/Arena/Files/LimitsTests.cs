// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena;
using Muster.Core;
using Xunit;

namespace Muster.Unit.Arena.Files;

public sealed class LimitsTests
{
    [Fact]
    public void Check_Defaults_AreWithinTheRanges() => Assert.True(new ArenaLimits().Check().IsNone);

    [Fact]
    public void Check_BothEndsOfEachRange_ArePermittedAndOneBeyondIsNot()
    {
        var limits = new ArenaLimits();
        (ArenaLimits Good, ArenaLimits Bad, string Name)[] cases =
        [
            (limits with { TasksMax = 1_024 }, limits with { TasksMax = 1_023 }, "TasksMax"),
            (limits with { TasksMax = 1 << 27 }, limits with { TasksMax = (1 << 27) + 1 }, "TasksMax"),
            (limits with { SpilledMax = 1 << 27 }, limits with { SpilledMax = (1 << 27) + 1 }, "SpilledMax"),
            (limits with { WorkersMax = 16 }, limits with { WorkersMax = 15 }, "WorkersMax"),
            (limits with { WorkersMax = 65_535 }, limits with { WorkersMax = 65_536 }, "WorkersMax"),
            (limits with { ClientsMax = 16 }, limits with { ClientsMax = 15 }, "ClientsMax"),
            (limits with { ClientsMax = 65_535 }, limits with { ClientsMax = 65_536 }, "ClientsMax"),
            (limits with { KeysMax = 16 }, limits with { KeysMax = 15 }, "KeysMax"),
            (limits with { KeysMax = 1 << 24 }, limits with { KeysMax = (1 << 24) + 1 }, "KeysMax"),
            (limits with { PayloadBytesMax = 1L << 20 }, limits with { PayloadBytesMax = (1L << 20) - 1 }, "Payload"),
            (limits with { PayloadBytesMax = 64L << 30 }, limits with { PayloadBytesMax = long.MaxValue }, "Payload"),
            (limits with { ResultBytesMax = 8L << 20 }, limits with { ResultBytesMax = -1 }, "Result"),
            (limits with { ResultBytesMax = 64L << 30 }, limits with { ResultBytesMax = (64L << 30) + 1 }, "Result"),
        ];
        foreach (var (good, bad, name) in cases)
        {
            Assert.True(good.Check().IsNone);
            var fault = bad.Check();
            Assert.Equal(FaultCode.InvalidArgument, fault.Code);
            Assert.Contains(name, fault.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void DefaultsWithin_DockersSharedMemory_LeavesATenthFree()
    {
        var limits = ArenaLimits.DefaultsWithin((64L << 20) * 10 / 11);
        Assert.NotNull(limits);
        Assert.True(limits.Check().IsNone);
        Assert.InRange(ArenaLayout.Of(limits).ReservedBytes, 32L << 20, 48L << 20);
    }

    [Theory]
    [InlineData(10L << 20, null)]
    [InlineData(24L << 20, 16_384u)]
    [InlineData(1L << 30, 262_144u)]
    public void DefaultsWithin_SomeRoom_LargestThatFits(long bytes, uint? tasks) =>
        Assert.Equal(tasks, ArenaLimits.DefaultsWithin(bytes)?.TasksMax);

    [Theory]
    [InlineData("default", true)]
    [InlineData("a", true)]
    [InlineData("cell-2", true)]
    [InlineData("01234567890123456789012345678901", true)]
    [InlineData("012345678901234567890123456789012", false)]
    [InlineData("", false)]
    [InlineData("Default", false)]
    [InlineData("a/b", false)]
    [InlineData("..", false)]
    [InlineData("a b", false)]
    [InlineData("zelle\u00e4", false)]
    public void CheckCell_Name_OnlyPlainOnesPass(string cell, bool good)
    {
        Assert.Equal(good, ArenaFolder.CheckCell(cell).IsNone);
        Assert.Equal(good, ArenaFile.OpenOrCreate(cell, new() { TasksMax = 1 }, null, out _, out _).Message
            .StartsWith("TasksMax", StringComparison.Ordinal));
    }
}
