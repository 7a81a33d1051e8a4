// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Shared.Faults;

/// <summary>
/// What a proxied link does to the bytes that pass. Up is from whoever connected, down is to it. Immutable: a link is
/// given another one while it runs.
/// </summary>
internal sealed record LinkFaults
{
    public static LinkFaults None { get; } = new();

    /// <summary>
    /// Each piece waits this long, and up to <see cref="JitterMs"/> longer; other connections pass it.
    /// </summary>
    public int DelayMs { get; init; }

    public int JitterMs { get; init; }

    /// <summary>Nothing passes, nothing is read: the sender's buffers fill.</summary>
    public bool IsStalledUp { get; init; }

    public bool IsStalledDown { get; init; }

    /// <summary>Bytes are taken and thrown away, and nobody is told: a peer that fell silent.</summary>
    public bool IsSilentUp { get; init; }

    public bool IsSilentDown { get; init; }

    /// <summary>Of a thousand pieces, so many get one bit turned over. For links with TLS alone.</summary>
    public int CorruptPerMille { get; init; }

    /// <summary>Of a thousand pieces, so many are cut in the middle, and the connection with them.</summary>
    public int ResetPerMille { get; init; }

    /// <summary>New connections are refused.</summary>
    public bool IsRefusing { get; init; }

    /// <summary>Largest piece that is passed on at once; small ones cut messages and frames anywhere.</summary>
    public int PieceBytesMax { get; init; } = 64 * 1024;
}
