// SPDX-License-Identifier: Apache-2.0
namespace Muster.Journal;

/// <summary>Gets each record of a replay, oldest first. Must not call the journal.</summary>
internal delegate void JournalVisitor(in JournalRecord record);
