// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena;

/// <summary>The process that holds or last held a role of the cell.</summary>
/// <param name="Pid">0: nobody ever did.</param>
/// <param name="PidStart">Field 22 of /proc/PID/stat: tells a reused pid.</param>
/// <param name="Epoch">Rises with each takeover.</param>
/// <param name="SinceUnixUs">Wall clock of the takeover.</param>
/// <param name="Addresses">Where it listens, comma-separated, best first.</param>
/// <param name="IsAlive">The process lives and is the same one.</param>
internal readonly record struct RoleHolder(
    uint Pid, ulong PidStart, uint Epoch, long SinceUnixUs, string Addresses, bool IsAlive);
