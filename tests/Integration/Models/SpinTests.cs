// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Muster.Integration.Models;

/// <summary>What spin finds in the models of the task's life: nothing, until a safeguard is taken away.</summary>
public class SpinTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(15);

    [Fact]
    public async Task Models_EveryRun_HoldAndFailWithoutEachSafeguard()
    {
        // A smaller budget than `make model` takes: about half a minute of one core.
        using var run = Process.Start(new ProcessStartInfo(Path.Combine(Root(), "eng", "model"), ["4"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = run.StandardError.ReadToEndAsync();
        var output = await run.StandardOutput.ReadToEndAsync().WaitAsync(s_patience);
        await run.WaitForExitAsync().WaitAsync(s_patience);

        Assert.True(run.ExitCode == 0, $"eng/model ended with {run.ExitCode}: {await error}\n{output}");
        var last = output[(output.TrimEnd().LastIndexOf('\n') + 1)..];
        using var figures = JsonDocument.Parse(last);
        Assert.True(figures.RootElement.GetProperty("models").GetInt32() >= 9, output);
        Assert.Equal(0, figures.RootElement.GetProperty("errors").GetInt32());
        Assert.True(figures.RootElement.GetProperty("safeguards").GetInt32() >= 13, output);
        Assert.Equal(
            figures.RootElement.GetProperty("safeguards").GetInt32(),
            figures.RootElement.GetProperty("safeguards_caught").GetInt32());
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Muster.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("Muster.slnx");
        }

        return folder;
    }
}
