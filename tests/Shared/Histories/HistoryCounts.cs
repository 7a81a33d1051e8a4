// SPDX-License-Identifier: Apache-2.0
namespace Muster.Shared.Histories;

/// <summary>What a history came to.</summary>
internal sealed record HistoryCounts
{
    public long Acked { get; init; }

    public long Refused { get; init; }

    /// <summary>Accepted, and no result came.</summary>
    public long Lost { get; init; }

    /// <summary>Tasks for which results of two attempts were shown, or that were accepted twice.</summary>
    public long DuplicateAccepted { get; init; }

    /// <summary>Results that are not those of their task, or that differ from the same task's earlier one.</summary>
    public long Changed { get; init; }

    /// <summary>Results of tasks that the server had refused or said that it does not know.</summary>
    public long Unexpected { get; init; }

    /// <summary>Tasks that ended otherwise than by success.</summary>
    public long Failed { get; init; }

    /// <summary>Results that came again unchanged because they had not been confirmed: no fault.</summary>
    public long Redelivered { get; init; }

    /// <summary>Tasks that were started more than once: no fault while workers die.</summary>
    public long Reruns { get; init; }

    public bool IsClean =>
        Lost == 0 && DuplicateAccepted == 0 && Changed == 0 && Unexpected == 0 && Failed == 0;
}
