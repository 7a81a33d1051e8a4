// SPDX-License-Identifier: Apache-2.0
namespace Muster.Plm;

/// <summary>The first message of a session's stream, as the core takes it.</summary>
/// <param name="ClientId">Names the session; not 0.</param>
/// <param name="Name">For people; cut to what the client table holds.</param>
/// <param name="UnconfirmedMax">0: the default.</param>
/// <param name="UnresolvedFirst">The refs whose acceptance the client does not know; 0 and 0: none.</param>
/// <param name="UnresolvedLast">The last of them.</param>
/// <param name="Epoch">The arena's epoch that the client last heard of; 0: none.</param>
/// <param name="StreamNumber">Rises with each stream of the client; 0: not said.</param>
/// <param name="Owner">Number of the identity that speaks; a session of the same id is another one for each.</param>
internal readonly record struct SessionHello(
    ulong ClientId, string Name, uint UnconfirmedMax, ulong UnresolvedFirst, ulong UnresolvedLast, uint Epoch = 0,
    ulong StreamNumber = 0, ushort Owner = 0);
