// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using System.IO;
using System.Threading;

namespace Muster.Load.Faults;

/// <summary>
/// Keeps what the processes say in a file, for their many restarts would bury the rounds, and counts what matters.
/// Thread-safe.
/// </summary>
internal sealed class ChaosLog : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file;
    private int _workersLost;

    public ChaosLog()
    {
        var path = Path.Combine(Path.GetTempPath(), $"muster-chaos-{Environment.ProcessId}.log");
        _file = new StreamWriter(path) { AutoFlush = true };
        Console.WriteLine($"what the processes say: {path}");
    }

    /// <summary>Workers that the Register gave up for their silence.</summary>
    public int WorkersLost => Volatile.Read(ref _workersLost);

    public void Take(string kind, string line)
    {
        lock (_gate)
        {
            _file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{kind}: {line}"));
        }

        if (line.Contains(" is Lost: ", StringComparison.Ordinal))
        {
            Interlocked.Increment(ref _workersLost);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }
}
