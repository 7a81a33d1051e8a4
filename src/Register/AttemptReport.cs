// SPDX-License-Identifier: Apache-2.0
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>
/// How one attempt ended, as its worker says. Error and output are places in the message that carried it.
/// </summary>
internal struct AttemptReport
{
    public AttemptKey Key;
    public Outcome Outcome;
    public int ErrorStart;
    public int ErrorBytes;
    public int OutputStart;
    public int OutputBytes;

    /// <summary>
    /// By the worker's own monotonic clock: received to started, started to finished, finished to sent.
    /// </summary>
    public ulong WaitedUs;
    public ulong RanUs;
    public ulong HeldUs;

    /// <summary>Counts the worker's results from 1 without gaps.</summary>
    public ulong Number;
}
