// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>
/// What the one who asked knows. Unknown is neither of the others: no answer came, and both may be true.
/// </summary>
internal enum HistoryOutcome : byte
{
    Unknown = 0,
    Ok = 1,
    Refused = 2,
}
