// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>What a worker says when it opens its Dispatch stream. Nothing in it is trusted.</summary>
internal readonly ref struct DispatchFacts
{
    public uint WireVersion { get; init; }

    /// <summary>Row + (epoch &lt;&lt; 32), as the Register gave it.</summary>
    public ulong WorkerId { get; init; }

    public ulong Nonce { get; init; }

    /// <summary>Number of the identity that the stream was opened by; the one thing here that was proved.</summary>
    public uint Owner { get; init; }

    /// <summary>How many attempts had ended when the rest was written.</summary>
    public ulong EndedTotal { get; init; }

    /// <summary>Every attempt received and not yet ended.</summary>
    public ReadOnlySpan<AttemptKey> InHand { get; init; }

    /// <summary>Every attempt ended whose result the Register has not confirmed.</summary>
    public ReadOnlySpan<AttemptKey> Unconfirmed { get; init; }
}
