// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Checking;

/// <summary>What the journal says of a task; the Detail of an InJournal line.</summary>
[Flags]
internal enum JournalFacts : byte
{
    None = 0,
    Submitted = 1,
    Ended = 2,
    Released = 4,
}
