// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Text;
using System.Threading;
using Muster.Shared.Histories;

namespace Muster.Load.Faults;

/// <summary>Writes a history to this process's output: what is in the pipe outlives the process.</summary>
internal sealed class PipeSink : IHistorySink, IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _output =
        new(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false), 1 << 16);

    public void Take(in HistoryEvent happened)
    {
        lock (_gate)
        {
            _output.WriteLine(happened.ToString());
        }
    }

    public void Flush()
    {
        lock (_gate)
        {
            _output.Flush();
        }
    }

    public void Dispose() => _output.Dispose();
}
