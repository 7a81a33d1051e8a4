// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.InteropServices;
using System.Threading;
using Muster.Cli.Output;

namespace Muster.Cli;

/// <summary>
/// SIGINT and SIGTERM: the first one asks the command to end well, the second ends the process at once. Made before
/// anything else runs, disposed last.
/// </summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly Terminal _terminal;
    private readonly PosixSignalRegistration[] _registrations;
    private int _signal;

    public Interruption(Terminal terminal)
    {
        _terminal = terminal;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        ];
    }

    public CancellationToken Token => _source.Token;

    /// <summary>128 and the number of the signal, as shells count.</summary>
    public int ExitCode => _signal == (int)PosixSignal.SIGTERM ? ExitCodes.Terminated : ExitCodes.Interrupted;

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _source.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (Interlocked.Exchange(ref _signal, (int)context.Signal) != 0)
        {
            // The default action follows and ends the process.
            return;
        }

        context.Cancel = true;
        _terminal.EndStatus();
        _source.Cancel();
    }
}
