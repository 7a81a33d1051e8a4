// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>
/// What is known of one task. All of it lies together: with a million tasks waiting, a decision costs what it has to
/// fetch from memory, two tasks of about three lines each.
/// </summary>
internal struct TaskEntry
{
    // Its place among the waiting: written by the ready set.
    public long Sequence;
    public long ReadyUs;
    public int Next;
    public int Before;
    public int Class;

    // The rest is the policy's.
    public int Worker;
    public TaskFacts Facts;
    public int Graph;
    public int RunPosition;
    public long StartUs;
    public long ExpectedUs;
    public double Charged;
}
