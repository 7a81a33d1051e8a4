// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>One event of a <see cref="SpawnEpoll"/>.</summary>
/// <param name="Tag">What the descriptor was added with.</param>
/// <param name="Events">Bits of <see cref="SpawnEpoll"/>.</param>
internal readonly record struct SpawnEvent(ulong Tag, uint Events);
