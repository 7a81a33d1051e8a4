// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Serialization;
using Muster;

/// <summary>The kinds of tasks that the worker and the client share.</summary>
public static class Jobs
{
    /// <summary>The n-th Fibonacci number.</summary>
    public static readonly TaskType<int, long> Fib =
        TaskType.Json("fib", JobsJson.Default.Int32, JobsJson.Default.Int64);

    /// <summary>Computes it the slow way, so that there is something to do.</summary>
    public static long Compute(int n) => n < 2 ? n : Compute(n - 1) + Compute(n - 2);
}

[JsonSerializable(typeof(int))]
[JsonSerializable(typeof(long))]
internal sealed partial class JobsJson : JsonSerializerContext;
