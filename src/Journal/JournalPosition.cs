// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>How far a journal has come.</summary>
/// <param name="Written">
/// The last sequence that the system has: it survives the death of every process, not a power loss.
/// </param>
/// <param name="Synced">The last sequence that survives a power loss; never above <paramref name="Written"/>.</param>
internal readonly record struct JournalPosition(ulong Written, ulong Synced);
