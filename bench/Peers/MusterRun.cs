// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Threading.Tasks;

namespace Muster.Peers;

/// <summary>One round of Muster by the program that measures it, as `make bench` runs it.</summary>
internal static class MusterRun
{
    /// <summary>The figures of one workload.</summary>
    public static async Task<JsonObject> MeasureAsync(string load, string workload, string durability)
    {
        using var process = Process.Start(new ProcessStartInfo(
            load, [workload, "--durability", durability, "--rounds", "1"])
        {
            RedirectStandardOutput = true,
        })!;
        string last = "";
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            last = line;
        }

        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? JsonNode.Parse(last)!.AsObject()
            : throw new InvalidOperationException($"{load} {workload} failed; its last line: {last}");
    }
}
