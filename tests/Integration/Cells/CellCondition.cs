// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.Threading.Tasks;
using Muster.Shared.Cells;
using Xunit;

namespace Muster.Integration.Cells;

/// <summary>Waits until a listing of the command line shows something, with a deadline.</summary>
internal static class CellCondition
{
    public static async Task WaitAsync(CellProcesses cell, string verb, string text, TimeSpan deadline)
    {
        var start = Stopwatch.GetTimestamp();
        var last = "";
        while (Stopwatch.GetElapsedTime(start) < deadline)
        {
            (_, last, _) = await cell.RunAsync(verb, "--cell", cell.Name, "-o", "json");
            if (last.Contains(text, StringComparison.OrdinalIgnoreCase))
            {
                return;
            }

            await Task.Delay(50);
        }

        Assert.Fail($"'muster {verb}' did not show {text} within {deadline.TotalSeconds} s:\n{last}");
    }
}
