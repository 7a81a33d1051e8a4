// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.InteropServices;
using Muster.Arena;
using Muster.Core;
using Xunit;
using Xunit.Abstractions;

namespace Muster.Integration.Arena;

/// <summary>
/// What lies under the arena's name and is no arena of ours: each kind is either refused or moved aside, with a
/// sentence that says what it is.
/// </summary>
public sealed class BadFileTests(ITestOutputHelper output) : IDisposable
{
    private readonly TestCell _cell = new();
    private readonly string _victim = Path.GetTempFileName();

    public void Dispose()
    {
        _cell.Dispose();
        File.Delete(_victim);
    }

    [Fact]
    public void OpenOrCreate_PlantedLink_RefusedAndTargetUntouched()
    {
        MakeAndClose();
        File.Delete(_cell.Path);
        File.WriteAllText(_victim, "precious");
        File.CreateSymbolicLink(_cell.Path, _victim);
        AssertRefused(FaultCode.ArenaOtherOwner, "symbolic link");
        Assert.Equal("precious", File.ReadAllText(_victim));
    }

    [Fact]
    public void OpenOrCreate_DanglingLink_RefusedAndNothingMade()
    {
        MakeAndClose();
        File.Delete(_cell.Path);
        File.Delete(_victim);
        File.CreateSymbolicLink(_cell.Path, _victim);
        AssertRefused(FaultCode.ArenaOtherOwner, "symbolic link");
        Assert.False(File.Exists(_victim));
    }

    [Fact]
    public void OpenOrCreate_OtherOwner_Refused()
    {
        MakeAndClose();
        Run("chown", "65534", _cell.Path);
        AssertRefused(FaultCode.ArenaOtherOwner, "of user 65534");
    }

    [Fact]
    public void OpenOrCreate_ReadableByOthers_Refused()
    {
        MakeAndClose();
        Run("chmod", "644", _cell.Path);
        AssertRefused(FaultCode.ArenaOtherOwner, "mode 644");
    }

    [Fact]
    public void OpenOrCreate_SecondName_Refused()
    {
        MakeAndClose();
        Run("ln", _cell.Path, _cell.Path + ".link");
        AssertRefused(FaultCode.ArenaOtherOwner, "names: 2");
    }

    [Fact]
    public void OpenOrCreate_Pipe_RefusedWithoutWaiting()
    {
        MakeAndClose();
        File.Delete(_cell.Path);
        Run("mkfifo", "-m", "600", _cell.Path);
        AssertRefused(FaultCode.ArenaOtherOwner, "no plain file");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(8 << 20)]
    public void OpenOrCreate_Truncated_MadeAnew(long bytes)
    {
        MakeAndClose();
        using (var file = File.OpenWrite(_cell.Path))
        {
            file.SetLength(bytes);
        }

        AssertMadeAnew("truncated", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_Garbage_MadeAnew()
    {
        MakeAndClose();
        var garbage = new byte[ArenaHeader.SizeBytes];
        new Random(7).NextBytes(garbage);
        Overwrite(0, garbage);
        AssertMadeAnew("does not begin as an arena", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_OneBitOfHeaderWrong_MadeAnew()
    {
        for (var bit = 160; bit < ArenaHeader.CheckedBytes * 8; bit += 17)
        {
            MakeAndClose();
            var header = ReadHeader();
            MemoryMarshal.AsBytes(new Span<ArenaHeader>(ref header))[bit / 8] ^= (byte)(1 << (bit % 8));
            Overwrite(0, MemoryMarshal.AsBytes(new Span<ArenaHeader>(ref header)));
            AssertMadeAnew("checksum", FaultCode.ArenaDamaged);
        }
    }

    [Fact]
    public void OpenOrCreate_OtherVersion_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.Version++);
        AssertMadeAnew("its layout is 2/", FaultCode.ArenaVersion);
    }

    [Fact]
    public void OpenOrCreate_OtherLayout_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.LayoutHash ^= 1);
        AssertMadeAnew("its layout is", FaultCode.ArenaVersion);
    }

    [Fact]
    public void OpenOrCreate_OtherBoot_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.BootId = Guid.NewGuid());
        AssertMadeAnew("before this machine's last start", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_SizesThatMakeNoSense_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.TasksMax = uint.MaxValue);
        AssertMadeAnew("make no sense", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_MakerDiedBeforeTheEnd_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.State = ArenaHeader.StateInitialising);
        AssertMadeAnew("has not finished it", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_Retired_MadeAnew()
    {
        MakeAndClose();
        ChangeHeader((ref ArenaHeader header) => header.State = ArenaHeader.StateRetired);
        AssertMadeAnew("retired", FaultCode.ArenaDamaged);
    }

    [Fact]
    public void OpenOrCreate_DamagedButARoleIsAlive_RefusedAndLeftAlone()
    {
        using var map = _cell.Open();
        Assert.True(map.TryTakeRole(Role.Scheduler, "x", out var lease).IsNone);
        Overwrite(0, new byte[8]);
        AssertRefused(FaultCode.ArenaDamaged, "scheduler is alive");
        lease!.Dispose();
        AssertMadeAnew("does not begin as an arena", FaultCode.ArenaDamaged);
        Assert.False(map.IsStillLinked());
    }

    [Fact]
    public void OpenOrCreate_DamagedOftenInARow_KeepsThreeOfTheOld()
    {
        for (var time = 0; time < 5; time++)
        {
            MakeAndClose();
            Overwrite(0, new byte[8]);
        }

        MakeAndClose();
        var kept = Directory.GetFiles(Path.GetDirectoryName(_cell.Path)!, _cell.Name + ".arena.bad-*");
        Assert.Equal(ArenaFolder.BadFilesMax, kept.Length);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} failed; this test must run as root (CI does)");
    }

    private void MakeAndClose() => _cell.Open().Dispose();

    private ArenaHeader ReadHeader() => MemoryMarshal.Read<ArenaHeader>(File.ReadAllBytes(_cell.Path));

    private void Overwrite(int offset, ReadOnlySpan<byte> bytes)
    {
        using var file = File.OpenWrite(_cell.Path);
        file.Position = offset;
        file.Write(bytes);
    }

    private delegate void Change(ref ArenaHeader header);

    private void ChangeHeader(Change change)
    {
        var header = ReadHeader();
        change(ref header);
        header.Checksum = header.ComputeChecksum();
        Overwrite(0, MemoryMarshal.AsBytes(new Span<ArenaHeader>(ref header)));
    }

    private void AssertRefused(FaultCode code, string because)
    {
        var before = new FileInfo(_cell.Path).LinkTarget;
        var fault = ArenaFile.OpenOrCreate(_cell.Name, TestCell.Small, null, out var map, out _);
        output.WriteLine(fault.Message);
        Assert.Equal(code, fault.Code);
        Assert.Null(map);
        Assert.Contains(because, fault.Message, StringComparison.Ordinal);
        Assert.Contains(_cell.Path, fault.Message, StringComparison.Ordinal);
        Assert.Equal(before, new FileInfo(_cell.Path).LinkTarget);
        Assert.Equal(code, ArenaFile.Attach(_cell.Name, readOnly: true, out map).Code);
        Assert.Null(map);
        Assert.Empty(Directory.GetFiles(Path.GetDirectoryName(_cell.Path)!, _cell.Name + ".arena.bad-*"));
    }

    private void AssertMadeAnew(string because, FaultCode attachSays)
    {
        Assert.Equal(attachSays, ArenaFile.Attach(_cell.Name, readOnly: true, out var none).Code);
        Assert.Null(none);
        using var map = _cell.Open(stateFolder: null, out var note);
        output.WriteLine(note);
        Assert.Contains(because, note, StringComparison.Ordinal);
        Assert.Contains(_cell.Path + ".bad-1", note, StringComparison.Ordinal);
        Assert.True(File.Exists(_cell.Path + ".bad-1"));
        Assert.Equal(0u, map.Tasks.HighWater);
    }
}
