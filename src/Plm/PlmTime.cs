// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>The moment of a turn, read once by the host and handed in.</summary>
/// <param name="Ms">Monotonic milliseconds: every timer counts in these.</param>
/// <param name="UnixUs">Wall clock, microseconds since 1970: for people, the wire, and due times across a
/// restart.</param>
internal readonly record struct PlmTime(long Ms, long UnixUs)
{
    /// <summary>Wall clock in milliseconds, as the arena keeps due times.</summary>
    public ulong UnixMs => (ulong)(UnixUs / 1000);
}
