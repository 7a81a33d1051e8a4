// SPDX-License-Identifier: Apache-2.0
namespace Muster.Scheduler.Decisions;

/// <summary>What a policy is told about a task before it is ready. Times are in microseconds.</summary>
internal struct TaskFacts
{
    public TaskFacts()
    {
    }

    /// <summary>Who shares capacity as one: a queue or a user, from 0.</summary>
    public int User;

    /// <summary>Strict band, 0 to 7; higher goes first.</summary>
    public byte Band = 4;

    /// <summary>Whether a second copy may run beside the first.</summary>
    public bool IsIdempotent;

    /// <summary>Which class model its durations go to.</summary>
    public int Handler;

    /// <summary>What each member needs, as <see cref="ISchedulingPolicy.Intern"/> numbered it.</summary>
    public int Shape;

    /// <summary>How many members start together, each with the whole need; 1 for all but gangs.</summary>
    public int Members = 1;

    /// <summary>A number that durations of the class grow with, such as bytes of input; 0 when none is known.</summary>
    public float Hint;

    /// <summary>The duration at speed 1 when it is known beforehand; 0 when it has to be learned.</summary>
    public long GivenUs;

    /// <summary>The longest that the user said it may take; 0: nothing was said. It bounds every estimate.</summary>
    public long LimitUs;

    /// <summary>When it should have ended; long.MaxValue when it does not matter.</summary>
    public long DeadlineUs = long.MaxValue;
}
