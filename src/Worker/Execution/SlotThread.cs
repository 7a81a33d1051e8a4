// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Threading;
using Muster.Arena.Locks;
using Muster.Worker.Attempts;

namespace Muster.Worker.Execution;

/// <summary>
/// A thread that runs blocking handlers, one attempt after the other. Owned by the <see cref="Executor"/>, which makes
/// one only when an attempt needs it and never more than there are slots, and hands attempts to the thread that became
/// idle last, because its memory is still warm.
/// </summary>
internal sealed class SlotThread
{
    private readonly Executor _executor;
    private readonly Thread _thread;
    private readonly ThreadWord _handover = new();
    private HeldAttempt? _next;
    private volatile bool _ends;

    public SlotThread(Executor executor, int number)
    {
        _executor = executor;
        var name = string.Create(CultureInfo.InvariantCulture, $"muster-slot-{number}");
        _thread = new Thread(Run) { Name = name, IsBackground = true };
        _thread.Start();
    }

    /// <summary>Hands an attempt to this thread, which is idle.</summary>
    public void Give(HeldAttempt attempt)
    {
        Volatile.Write(ref _next, attempt);
        _handover.Signal();
    }

    /// <summary>Ends the thread when it is idle next.</summary>
    public void End()
    {
        _ends = true;
        _handover.Signal();
    }

    private void Run()
    {
        var clean = ExecutionContext.Capture();
        while (Take() is { } attempt)
        {
            var run = attempt;
            while (run is not null)
            {
                var end = run.Handler.Run(run, _executor);

                // What a handler left in its AsyncLocals must not be seen by the next one.
                ExecutionContext.Restore(clean!);
                run = _executor.TakeNext(this, run, end);
            }
        }
    }

    private HeldAttempt? Take()
    {
        while (true)
        {
            var ends = _ends;
            var attempt = Interlocked.Exchange(ref _next, null);
            if (attempt is not null || ends)
            {
                return attempt;
            }

            _handover.Wait();
        }
    }
}
