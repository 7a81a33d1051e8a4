// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Scheduler.Decisions;

/// <summary>
/// Which task starts where, and when. The live Scheduler and the simulator call the same code: it reacts to what
/// happened, is told the time, and is asked for decisions one by one until there is none left. No clock, no I/O, no
/// thread; nothing is allocated per decision once as many tasks were known as ever are. Not thread-safe: one caller.
/// <para>
/// Tasks and workers are numbered by the caller from 0, and a number may be used again once its task has ended or its
/// worker has left. Time is in microseconds and never goes back.
/// </para>
/// </summary>
internal interface ISchedulingPolicy
{
    /// <summary>A name for people.</summary>
    string Name { get; }

    /// <summary>Tasks that are ready and wait.</summary>
    int Waiting { get; }

    /// <summary>The number of a need; the same need has the same number.</summary>
    int Intern(Resources need);

    /// <summary>A worker is there, empty. Speed 1 runs tasks for as long as they are said to take.</summary>
    void AddWorker(int worker, Resources has, double speed);

    /// <summary>A worker leaves; the caller has ended what ran there.</summary>
    void RemoveWorker(int worker);

    /// <summary>A task will be ready at some time.</summary>
    void Admit(int task, in TaskFacts facts);

    /// <summary>
    /// Tasks from <paramref name="first"/> on are members of a graph: <paramref name="children"/> of each, as offsets
    /// from the first, lie from its entry of <paramref name="childStart"/> to the next one.
    /// </summary>
    void AdmitGraph(int first, int[] childStart, int[] children);

    /// <summary>Nothing hinders the task any more.</summary>
    void Ready(int task, long nowUs);

    /// <summary>A ready task was cancelled.</summary>
    void Withdraw(int task);

    /// <summary>The next decision; false when nothing may start until something happens.</summary>
    bool TryStart(long nowUs, out Start start);

    /// <summary>A second copy of a task that runs far too long, when there is room that nobody needs.</summary>
    bool TryCopy(long nowUs, out Start start);

    /// <summary>
    /// The task ended after this long on this worker. What else of it runs is over as well, wherever it runs.
    /// </summary>
    void Ended(int task, int worker, long ranUs, long nowUs);

    /// <summary>Where the task runs; what did not fit into <paramref name="places"/> is left out.</summary>
    int Places(int task, Span<Place> places);

    /// <summary>When a decision may be due though nothing happened; long.MaxValue: never.</summary>
    long NextDueUs { get; }

    /// <summary>Throws when a count or a list contradicts another. Slow; for tests.</summary>
    void CheckInvariants();
}
