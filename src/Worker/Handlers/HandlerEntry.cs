// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using Muster.Worker.Attempts;
using Muster.Worker.Execution;

namespace Muster.Worker.Handlers;

/// <summary>
/// One handler that this worker offers, and how long it takes, which the worker's lock guards. Runs any number of
/// attempts at once.
/// </summary>
internal abstract class HandlerEntry(string name, HandlerPlace place)
{
    public string Name { get; } = name;

    public HandlerPlace Place { get; } = place;

    /// <summary>Decaying mean of its runs in timestamps; a long time while nothing is known.</summary>
    public long MeanRun { get; private set; } = Stopwatch.Frequency;

    /// <summary>Whether the handler is given a token to watch.</summary>
    public virtual bool TakesToken => true;

    /// <summary>Runs an attempt. Throws nothing.</summary>
    /// <param name="attempt">It has a slot.</param>
    /// <param name="executor">Takes it back, when it ends later.</param>
    /// <returns>How it ended; null: <see cref="Executor.Finish"/> is called exactly once, maybe before this
    /// returns.</returns>
    public abstract AttemptEnd? Run(HeldAttempt attempt, Executor executor);

    /// <summary>An attempt took so long.</summary>
    public void NoteRun(long took) => MeanRun += (took - MeanRun) / WorkerLimits.MeanRunWeight;

    /// <summary>The attempt's time is over.</summary>
    /// <returns>Whether its result is known at once; otherwise the handler ends by itself very soon.</returns>
    public virtual bool EndsAtTimeout => true;

    /// <summary>Whether its thread sends what ended before, once the attempt has begun.</summary>
    public virtual bool SendsItself => false;

    /// <summary>Asks the handler to stop. Never runs user code on the calling thread.</summary>
    public virtual void Stop(HeldAttempt attempt, Executor executor) => executor.CancelToken(attempt);
}
