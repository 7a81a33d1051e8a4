// SPDX-License-Identifier: Apache-2.0
namespace Muster.Server.PlmHosting;

/// <summary>What the journal must have reached before an answer may leave; sequence 0: nothing.</summary>
internal readonly record struct JournalPromise(ulong Sequence, byte Durability);
