// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text.Json;

namespace Muster.Load;

/// <summary>The last line of a workload.</summary>
internal static class Figures
{
    private static readonly JsonSerializerOptions s_options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
    };

    public static void Print(object figures) => Console.WriteLine(JsonSerializer.Serialize(figures, s_options));
}
