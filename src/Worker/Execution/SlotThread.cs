// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Threading;
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
    private readonly object _handover = new();
    private HeldAttempt? _next;
    private bool _ends;

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
        lock (_handover)
        {
            _next = attempt;
            Monitor.Pulse(_handover);
        }
    }

    /// <summary>Ends the thread when it is idle next.</summary>
    public void End()
    {
        lock (_handover)
        {
            _ends = true;
            Monitor.Pulse(_handover);
        }
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
        lock (_handover)
        {
            while (_next is null && !_ends)
            {
                Monitor.Wait(_handover);
            }

            var attempt = _next;
            _next = null;
            return attempt;
        }
    }
}
