// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>What an order may look at when it places a task among those of its user.</summary>
/// <param name="task">What the task's submitter said.</param>
/// <param name="expectedUs">The expected duration at speed 1.</param>
/// <param name="rankUs">The task's rank in its graph; 0 for a loose task.</param>
/// <param name="graphUs">The longest chain of its graph; 0 for a loose task.</param>
/// <param name="slots">All slots that it needs, members included.</param>
internal readonly ref struct OrderFacts(
    ref readonly TaskFacts task, long expectedUs, long rankUs, long graphUs, long slots)
{
    public readonly ref readonly TaskFacts Task = ref task;

    public long ExpectedUs { get; } = expectedUs;

    public long RankUs { get; } = rankUs;

    public long GraphUs { get; } = graphUs;

    public long Slots { get; } = slots;

    public bool IsMember => RankUs > 0;
}
