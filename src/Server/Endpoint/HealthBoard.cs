// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Server.Endpoint;

/// <summary>
/// Which services are serving; the empty name is the server as a whole. Any thread sets, watchers wait for the next
/// change. Bounded by the services that the program itself names.
/// </summary>
internal sealed class HealthBoard
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, bool> _serving = new(StringComparer.Ordinal) { [""] = true };
    private TaskCompletionSource _changed = NewSignal();

    public void Set(string service, bool serving)
    {
        lock (_gate)
        {
            _serving[service] = serving;
        }

        Signal();
    }

    /// <summary>Nothing serves any more.</summary>
    public void StopAll()
    {
        lock (_gate)
        {
            foreach (var service in new List<string>(_serving.Keys))
            {
                _serving[service] = false;
            }
        }

        Signal();
    }

    /// <summary>Whether it serves, null when the name is unknown, and a task that ends when anything has changed
    /// since.</summary>
    public bool? Look(string service, out Task changed)
    {
        lock (_gate)
        {
            changed = _changed.Task;
            return _serving.TryGetValue(service, out var serving) ? serving : null;
        }
    }

    private void Signal()
    {
        TaskCompletionSource signal;
        lock (_gate)
        {
            signal = _changed;
            _changed = NewSignal();
        }

        signal.SetResult();
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
