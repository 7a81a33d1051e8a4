// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>What the next record must follow: the number and the check of the one before.</summary>
internal readonly record struct ChainLink(ulong Sequence, uint Crc);
