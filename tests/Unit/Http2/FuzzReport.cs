// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;

namespace Muster.Unit.Http2;

/// <summary>What a run over one target came to.</summary>
internal sealed record FuzzReport(long Inputs, long Crashes, long Hangs, string? First)
{
    private static readonly object s_gate = new();

    /// <summary>Adds a line to the file that `make fuzz` sums up, when there is one.</summary>
    public static void Append(string target, FuzzReport report)
    {
        if (Environment.GetEnvironmentVariable("MUSTER_FUZZ_REPORT") is { Length: > 0 } path)
        {
            lock (s_gate)
            {
                File.AppendAllText(path, string.Create(
                    CultureInfo.InvariantCulture,
                    $"{target} {report.Inputs} {report.Crashes} {report.Hangs}\n"));
            }
        }
    }
}
