// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Threading.Tasks;
using Muster.Integration.Cells;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Samples;

/// <summary>The samples in Python and Node, written from the proto files alone, against a real cell.</summary>
public class SampleTests
{
    private static readonly string s_samples = Path.Combine(RepositoryRoot(), "samples");

    [Fact]
    public async Task PythonWorker_PythonAndNodeClients_GetTheirResults()
    {
        await using var cell = await CellProcesses.StartAsync();
        using var worker = Start(cell, "/usr/bin/python3", Path.Combine(s_samples, "python", "worker.py"));
        try
        {
            await CellCondition.WaitAsync(cell, "workers", "python-sample", TimeSpan.FromSeconds(60));

            var python =
                await RunAsync(cell, "/usr/bin/python3", Path.Combine(s_samples, "python", "client.py"), "upper", "50");
            var node = await RunAsync(cell, "node", Path.Combine(s_samples, "node", "client.js"), "upper", "50");

            Assert.Contains("one: HELLO FROM PYTHON", python, StringComparison.Ordinal);
            Assert.Contains("session: TASK 50", python, StringComparison.Ordinal);
            Assert.Contains("one: HELLO FROM NODE", node, StringComparison.Ordinal);
            Assert.Contains("session: TASK 50", node, StringComparison.Ordinal);
        }
        finally
        {
            worker.Kill();
        }
    }

    private static Process Start(CellProcesses cell, string program, params string[] arguments)
    {
        var start =
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["MUSTER_ADDRESS"] = cell.Address;
        return Process.Start(start)!;
    }

    private static async Task<string> RunAsync(CellProcesses cell, string program, params string[] arguments)
    {
        using var process = Start(cell, program, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        Assert.True(process.ExitCode == 0, $"{program} exited with {process.ExitCode}: {await error}");
        return await output;
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Muster.slnx")))
        {
            folder = folder.Parent;
        }

        return folder.FullName;
    }
}
