// SPDX-License-Identifier: Apache-2.0
namespace Muster.Checking;

/// <summary>Which survival an OK promises.</summary>
internal enum HistoryLevel : byte
{
    None = 0,
    Memory = 1,
    Relaxed = 2,
    Durable = 3,
    Replicated = 4,
}
