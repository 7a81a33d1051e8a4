// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Commands;

/// <summary>Hears of a command's end, once, on the reactor's thread: it must be quick and must not throw.</summary>
internal interface ICommandListener
{
    /// <summary>The command has ended, is reaped, and its group is gone.</summary>
    /// <param name="end">Valid during the call only.</param>
    void CommandEnded(CommandEnd end);

    /// <summary>
    /// Nothing else has ended for now; said after one or more ends, to the listener of the last of them.
    /// </summary>
    void RoundEnded();

    /// <summary>How long the command may go on after SIGTERM.</summary>
    int KillGraceMs => WorkerLimits.CommandKillGraceMs;

    /// <summary>The command wrote something, or closed an output.</summary>
    void Wrote()
    {
    }
}
