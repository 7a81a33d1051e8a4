// SPDX-License-Identifier: Apache-2.0
using Muster.Client.Sessions;
using Muster.Core;

namespace Muster.Client;

/// <summary>Tells a command that ran and failed from one that did not run.</summary>
internal static class CommandOutcome
{
    private static readonly string s_exited = FaultCodes.Name(FaultCode.CommandExited);
    private static readonly string s_signalled = FaultCodes.Name(FaultCode.CommandSignalled);

    /// <summary>Whether the output is the command's own result, good or bad.</summary>
    public static bool RanToItsEnd(PendingTask task) =>
        task.Outcome == Outcome.Succeeded
        || (task.Outcome == Outcome.Failed && (task.Error?.Code == s_exited || task.Error?.Code == s_signalled));
}
