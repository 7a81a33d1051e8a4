// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Commands;

/// <summary>The README's first command on real files, with nothing running before.</summary>
public class MapTests
{
    [Fact]
    public async Task Map_Sha256sumOverRealFiles_PrintsTheDigestsOfSha256sum()
    {
        var files =
            Directory.GetFiles("/usr/bin").Where(IsReadableFile).Order(StringComparer.Ordinal).Take(400).ToArray();
        Assert.True(files.Length > 50, "there should be real files to work on");

        var expected = await RunAsync("sha256sum", files);
        var actual = await RunAsync(CellProcesses.Executable, ["map", "--keep-order", "sha256sum {}", ":::", .. files]);

        Assert.Equal(0, actual.ExitCode);
        Assert.Equal(expected.Output, actual.Output);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(3, 3)]
    [InlineData(101, 101)]
    [InlineData(150, 101)]
    public async Task Map_FailingCommands_ExitCodeCountsThem(int failing, int expected)
    {
        var inputs = Enumerable.Repeat("1", failing).Append("0");

        var (exit, _, _) = await RunAsync(
            CellProcesses.Executable, ["map", "--retries", "0", "--shell", "exit {}", ":::", .. inputs]);

        Assert.Equal(expected, exit);
    }

    [Fact]
    public async Task Map_UnknownProgram_SaysWhatIsMissing()
    {
        var (exit, _, error) = await RunAsync(CellProcesses.Executable, ["map", "no-such-program-here {}", ":::", "x"]);

        Assert.Equal(1, exit);
        Assert.Contains("COMMAND_NOT_FOUND", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Map_EmbeddedCell_LeavesNothingBehind()
    {
        // The command prints the id of its parent, which is the cell's process and part of the cell's name.
        var (exit, output, _) = await RunAsync(
            CellProcesses.Executable, ["map", "--shell", "echo $PPID {}", ":::", "x"]);

        Assert.Equal(0, exit);
        var cell = $"embedded-{int.Parse(output.Split(' ')[0], CultureInfo.InvariantCulture)}-*";
        var folder = Path.GetDirectoryName(global::Muster.Arena.ArenaFile.PathOf("default"))!;
        Assert.Empty(Directory.GetFiles(folder, cell));
    }

    private static bool IsReadableFile(string path)
    {
        var info = new FileInfo(path);
        return (info.LinkTarget is null || File.Exists(path)) && !path.Contains('\\', StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output, string Error)> RunAsync(string program, string[] arguments)
    {
        var start =
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment.Remove("MUSTER_ADDRESS");
        var folder = Directory.CreateTempSubdirectory("muster-map-");
        start.Environment["XDG_RUNTIME_DIR"] = folder.FullName;
        start.Environment["XDG_STATE_HOME"] = folder.FullName;
        try
        {
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync();
            var error = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
            return (process.ExitCode, await output, await error);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
