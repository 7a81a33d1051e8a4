// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text.Json;

namespace Muster.Load;

/// <summary>
/// The last line of a workload. It is kept until the workload has ended, because the processes of its cell write to the
/// same terminal while they are stopped. One workload and one line for each process.
/// </summary>
internal static class Figures
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    private static string? s_kept;

    public static void Keep(object figures) => KeepLine(JsonSerializer.Serialize(figures, s_options));

    public static void KeepLine(string json) => s_kept = json;

    public static void PrintKept()
    {
        if (s_kept is not null)
        {
            Console.WriteLine(s_kept);
        }
    }
}
