// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.Roles;

/// <summary>What somebody does with a role's core while it has the turn.</summary>
internal interface IRoleTurn
{
    /// <summary>Called under the turn's lock: must not block, and must not start another turn.</summary>
    /// <param name="nowMs">Monotonic time.</param>
    /// <param name="nowUnixUs">Wall clock, microseconds since 1970.</param>
    void Run(long nowMs, long nowUnixUs);
}
