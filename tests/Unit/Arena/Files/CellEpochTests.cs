// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Arena;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Core.Tasks;
using Xunit;

namespace Muster.Unit.Arena.Files;

public sealed class CellEpochTests : IDisposable
{
    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "muster-epoch-" + Guid.NewGuid().ToString("n"), "cell");

    private string EpochFile => Path.Combine(_folder, "epoch");

    public void Dispose()
    {
        if (Directory.Exists(Path.GetDirectoryName(_folder)))
        {
            Directory.Delete(Path.GetDirectoryName(_folder)!, recursive: true);
        }
    }

    [Fact]
    public void Advance_NoFolderYet_MadeAndBeginsWithOne()
    {
        Assert.True(CellEpoch.Advance(_folder, 0, out var epoch).IsNone);
        Assert.Equal(1u, epoch);
        Assert.Equal("1\n", File.ReadAllText(EpochFile));
        Assert.True(Statx.TryOf(EpochFile, out var facts));
        Assert.Equal("600", Convert.ToString(facts.Permissions, 8));
        Assert.Single(Directory.GetFiles(_folder));
    }

    [Fact]
    public void Advance_ArenaHasAHigherEpoch_GoesAboveBoth()
    {
        Assert.True(CellEpoch.Advance(_folder, 41, out var epoch).IsNone);
        Assert.Equal(42u, epoch);
        Assert.True(CellEpoch.Advance(_folder, 7, out epoch).IsNone);
        Assert.Equal(43u, epoch);
    }

    [Fact]
    public void RecordAtLeast_LowerEpoch_DoesNotGoBack()
    {
        Assert.True(CellEpoch.RecordAtLeast(_folder, 9).IsNone);
        Assert.True(CellEpoch.RecordAtLeast(_folder, 3).IsNone);
        Assert.True(CellEpoch.Read(_folder, out var epoch).IsNone);
        Assert.Equal(9u, epoch);
    }

    [Fact]
    public void Advance_LastEpochUsed_RefusedAndKept()
    {
        Assert.True(CellEpoch.RecordAtLeast(_folder, Attempt.EpochMax).IsNone);
        var fault = CellEpoch.Advance(_folder, 0, out _);
        Assert.Equal(FaultCode.EpochsUsedUp, fault.Code);
        Assert.Equal($"{Attempt.EpochMax}\n", File.ReadAllText(EpochFile));
    }

    [Theory]
    [InlineData("")]
    [InlineData("zero")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("32768")]
    [InlineData("99999999999999999999")]
    public void Advance_FileMakesNoSense_RefusedAndLeftAlone(string text)
    {
        Directory.CreateDirectory(_folder);
        File.WriteAllText(EpochFile, text);
        var fault = CellEpoch.Advance(_folder, 0, out _);
        Assert.Equal(FaultCode.StateFolderUnusable, fault.Code);
        Assert.Contains(EpochFile, fault.Message, StringComparison.Ordinal);
        Assert.Equal(text, File.ReadAllText(EpochFile));
    }

    [Fact]
    public void Advance_FolderCannotBeWritten_Refused()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder)!);
        File.WriteAllText(_folder, "a file where the folder should be");
        Assert.Equal(FaultCode.StateFolderUnusable, CellEpoch.Advance(_folder, 0, out _).Code);
    }

    [Fact]
    public void Advance_LeftoverOfAnInterruptedWrite_Replaced()
    {
        Assert.True(CellEpoch.Advance(_folder, 0, out _).IsNone);
        File.WriteAllText(EpochFile + ".new", "garbage");
        Assert.True(CellEpoch.Advance(_folder, 0, out var epoch).IsNone);
        Assert.Equal(2u, epoch);
        Assert.Single(Directory.GetFiles(_folder));
    }
}
