// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;

namespace Muster.Cli;

/// <summary>What the command line ends with. 1 to 101 of map and submit count failed tasks.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>More than a hundred tasks failed.</summary>
    public const int ManyFailed = 101;

    /// <summary>The arguments make no sense; nothing was done.</summary>
    public const int Usage = 2;

    /// <summary>Refused: what was asked for breaks a rule, or does not exist.</summary>
    public const int Refused = 65;

    /// <summary>The cell cannot be reached.</summary>
    public const int Unreachable = 69;

    /// <summary>A fault of our own.</summary>
    public const int Internal = 70;

    /// <summary>Ctrl-C.</summary>
    public const int Interrupted = 130;

    /// <summary>SIGTERM.</summary>
    public const int Terminated = 143;

    /// <summary>0 to 101 for the number of tasks that failed.</summary>
    public static int OfFailures(long failed) => (int)Math.Min(failed, ManyFailed);

    /// <summary>The code for a failure that the service or the SDK named.</summary>
    public static int Of(string code) => code switch
    {
        "INTERNAL" or "UNKNOWN" or "DATA_LOSS" => Internal,
        _ when code == FaultCodes.Name(FaultCode.Unavailable) => Unreachable,
        _ when code == FaultCodes.Name(FaultCode.ShuttingDown) => Unreachable,
        "DEADLINE_EXCEEDED" => Unreachable,
        _ => Refused,
    };
}
