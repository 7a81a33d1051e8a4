// SPDX-License-Identifier: Apache-2.0
using Muster.Client;

namespace Muster.Cli.Verbs;

/// <summary>How map and submit run their tasks.</summary>
internal sealed record RunPlan(SubmitOptions Task, int OutputBytesMax, bool IsProgressWanted)
{
    /// <summary>With an idempotency key; null: none.</summary>
    public RunPlan WithKey(string? key) => key switch
    {
        null => this,
        "" => throw new UsageException("--key is empty; leave it out, or give a key"),
        _ => this with { Task = Task with { IdempotencyKey = SubmissionKey.Check(key) } },
    };
}
