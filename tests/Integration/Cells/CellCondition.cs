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

    /// <summary>Waits until a condition holds, half a minute at most.</summary>
    public static async Task HoldsAsync(Func<bool> condition, string what)
    {
        var start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(30), $"not seen in 30 s: {what}");
            await Task.Delay(20);
        }
    }
}
