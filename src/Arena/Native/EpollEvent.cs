// SPDX-License-Identifier: Apache-2.0
namespace Muster.Arena.Native;

/// <summary>One event of a <see cref="Epoll"/>.</summary>
/// <param name="Tag">What the descriptor was added with.</param>
/// <param name="Events">Bits of <see cref="Epoll"/>.</param>
internal readonly record struct EpollEvent(ulong Tag, uint Events);
