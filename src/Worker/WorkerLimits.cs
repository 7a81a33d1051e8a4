// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Worker;

/// <summary>The bounds of a worker. Those that a user may want to change are options instead.</summary>
internal static class WorkerLimits
{
    /// <summary>Attempts held beyond the slots; what comes on top is given back unstarted.</summary>
    public const int QueuedMax = 65_536;

    /// <summary>Results kept unconfirmed before no further attempt is started.</summary>
    public const int UnconfirmedMax = 65_536;

    /// <summary>Bytes of unconfirmed results before no further attempt is started.</summary>
    public const long UnconfirmedBytesMax = 64L << 20;

    /// <summary>Results encoded into one message before it is sent, and its size after which it is sent.</summary>
    public const int ResultsPerMessageMax = 2_048;
    public const int MessageBytesSoftMax = 256 * 1024;

    /// <summary>
    /// Results that may wait for the next one, while handlers take less than this part of a millisecond: a message and
    /// the two wake-ups that it costs are then shared by as many.
    /// </summary>
    public const int HeldResultsMax = 256;
    public const int HoldResultsPerMs = 20;

    /// <summary>A handler's latest run counts this part in the mean of its runs.</summary>
    public const int MeanRunWeight = 16;

    /// <summary>Arguments of a command, see proto/muster/v1/types.proto.</summary>
    public const int CommandArgumentsMax = 4_096;

    /// <summary>
    /// Kept of each of a command's two outputs at most, whatever was asked for: both and the message around them fit
    /// the limit of an output.
    /// </summary>
    public const int CommandOutputBytesMax = (TaskLimits.OutputBytesMax - 1_024) / 2;

    /// <summary>
    /// How long the thread that started a command waits for it before it leaves that to the reactor: longer than
    /// short programs run.
    /// </summary>
    public const int CommandHereMs = 20;

    /// <summary>The part of it in which outputs are not looked at, unless the command ends.</summary>
    public const int CommandQuietMs = 3;

    /// <summary>Between SIGTERM to a command's group and SIGKILL to all that it started.</summary>
    public const int CommandKillGraceMs = 2_000;

    /// <summary>
    /// After a command's leader has exited: how long others may hold its output open before its group is killed and
    /// the output is closed.
    /// </summary>
    public const int CommandPipeGraceMs = 100;

    /// <summary>First and longest wait between two tries to reach the Register or the Scheduler.</summary>
    public const int ReconnectMsMin = 5;
    public const int ReconnectMsMax = 500;

    /// <summary>The same after a refusal that another try will not change; a new server may.</summary>
    public const int RefusedMs = 5_000;

    /// <summary>A stream that has not answered the hello after this time is given up.</summary>
    public const int WelcomeMsMax = 5_000;

    /// <summary>How often a worker beats until the Register has said how often it wants it.</summary>
    public const int IntervalMsDefault = 250;

    /// <summary>Bounds of what the Register may ask for.</summary>
    public const int IntervalMsMin = 10;
    public const int IntervalMsMax = 60_000;

    /// <summary>Percent of the lease after whose silence no attempt is started any more.</summary>
    public const int LeaseUsablePercent = 75;

    /// <summary>
    /// After the drain's time is over: how long attempts may take to notice that they were cancelled.
    /// </summary>
    public const int CancelGraceMs = 3_000;

    /// <summary>How long a stopping worker waits for its last results to be confirmed.</summary>
    public const int ConfirmGraceMs = 5_000;

    /// <summary>How long a stopping worker waits until its goodbye was heard.</summary>
    public const int GoodbyeMsMax = 1_000;

    /// <summary>
    /// So many failures in a row to reach the Scheduler, and the Register is asked again where it is.
    /// </summary>
    public const int SchedulerFailuresMax = 8;
}
