// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Muster.Arena;
using Xunit;

namespace Muster.Integration.Arena;

/// <summary>A cell with a name of its own in the real /dev/shm, gone after the test.</summary>
internal sealed class TestCell : IDisposable
{
    /// <summary>The smallest arena: 10 MiB.</summary>
    public static ArenaLimits Small { get; } = new()
    {
        TasksMax = ArenaLimits.TasksMaxMin,
        WorkersMax = ArenaLimits.RowsMin,
        ClientsMax = ArenaLimits.RowsMin,
        PayloadBytesMax = ArenaLimits.PayloadBytesMin,
        ResultBytesMax = ArenaLimits.ResultBytesMin,
    };

    public string Name { get; } = "test-" + Guid.NewGuid().ToString("n")[..16];

    public string Path => ArenaFile.PathOf(Name);

    /// <summary>Opens or makes the cell's arena, which must work.</summary>
    public ArenaMap Open(string? stateFolder = null) => Open(stateFolder, out _);

    public ArenaMap Open(string? stateFolder, out string note)
    {
        var fault = ArenaFile.OpenOrCreate(Name, Small, stateFolder, out var map, out note);
        Assert.True(fault.IsNone, fault.Message);
        return map!;
    }

    public void Dispose()
    {
        // A test may have left anything under the name, a folder or a link included.
        foreach (var path in Directory.GetFileSystemEntries(System.IO.Path.GetDirectoryName(Path)!, Name + ".*"))
        {
            File.Delete(path);
        }
    }
}
