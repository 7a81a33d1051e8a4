// SPDX-License-Identifier: Apache-2.0
namespace Muster.Client.Sessions;

/// <summary>The numbers of a session's client side.</summary>
internal static class SessionLimits
{
    /// <summary>Tasks in one message. 16 already give most of what 256 give, and larger ones only add
    /// latency.</summary>
    public const int BatchItemsMax = 256;

    /// <summary>Bytes of a message past which nothing more is added to it; one task alone may be larger.</summary>
    public const int BatchBytesMax = 256 * 1024;

    /// <summary>Ids to cancel in one message.</summary>
    public const int CancelsPerMessageMax = 4_096;

    /// <summary>Calls of AwaitTask that a client has open, and after how long one gives way to others.</summary>
    public const int AwaitsMax = 64;
    public const int AwaitMsMax = 30_000;

    /// <summary>Unconfirmed results that the server may send; they are confirmed as fast as they are read.</summary>
    public const uint UnconfirmedMax = 65_536;

    /// <summary>Fewer results than this wait, at most so long, for a message that their confirmation goes
    /// with.</summary>
    public const ulong ConfirmedAtOnceMin = 64;
    public const int ConfirmHoldMsMax = 5;

    /// <summary>Assumed when a refusal that invites another try names no delay.</summary>
    public const uint RetryAfterMsDefault = 50;

    /// <summary>Longest pause after refusals for want of room.</summary>
    public const long HoldMsMax = 5_000;

    /// <summary>First and longest pause between attempts to connect. Roles that restart are back well within a
    /// second.</summary>
    public const int BackoffMsFirst = 10;
    public const int BackoffMsMax = 1_000;

    /// <summary>What one attempt to connect may take, from the first byte to the welcome.</summary>
    public const int WelcomeMsMax = 5_000;

    /// <summary>How long closing waits for what is on the way.</summary>
    public const int CloseMsMax = 1_000;

    /// <summary>After a failed write, how long the reading side may take to say why.</summary>
    public const int CutMsMax = 1_000;
}
