// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Win32.SafeHandles;

namespace Muster.Worker.Commands;

/// <summary>
/// One running command. Made by the thread that started it, which keeps it while <see cref="IsHere"/>; from then on the
/// reactor's thread alone touches it, until it has told the listener. Others keep it only to name it to
/// <see cref="CommandReactor.Stop"/>. Its lock guards the handover, and its number against a signal after it was
/// reaped.
/// </summary>
internal sealed class ChildProcess : IDisposable
{
    public required int Pid { get; init; }

    public required SafeFileHandle Pidfd { get; init; }

    public required ICommandListener Listener { get; init; }

    public required CommandLane Lane { get; init; }

    public required CapturedOutput Output { get; init; }

    public required CapturedOutput Error { get; init; }

    /// <summary>Part of the tags of its descriptors; never used twice.</summary>
    public required ulong Number { get; init; }

    /// <summary>The thread that started it still waits for it.</summary>
    public bool IsHere { get; set; } = true;

    /// <summary>It is reaped: its number may be another's.</summary>
    public bool IsReaped { get; set; }

    /// <summary>Read ends; null once the end was seen or given up.</summary>
    public SafeFileHandle? OutputPipe { get; set; }

    public SafeFileHandle? ErrorPipe { get; set; }

    /// <summary>Write end; null once everything was written or the command closed its side.</summary>
    public SafeFileHandle? InputPipe { get; set; }

    /// <summary>What is still to be written.</summary>
    public ReadOnlyMemory<byte> Input { get; set; }

    /// <summary>The leader has exited and waits to be reaped.</summary>
    public bool HasExited { get; set; }

    /// <summary>Its group was sent SIGTERM.</summary>
    public bool IsStopping { get; set; }

    /// <summary>Not 0: errno of the watch that could not be set up, for which the command was ended.</summary>
    public int WatchError { get; set; }

    /// <summary>When the next step is due (SIGKILL, or the end of the wait for open pipes); 0: none.</summary>
    public long DueMs { get; set; }

    public void Dispose()
    {
        Pidfd.Dispose();
        OutputPipe?.Dispose();
        ErrorPipe?.Dispose();
        InputPipe?.Dispose();
        Output.Dispose();
        Error.Dispose();
    }
}
