// SPDX-License-Identifier: Apache-2.0
namespace Muster.Core;

/// <summary>The roles of a cell that write to its arena. The values index the role table of the arena.</summary>
internal enum Role : byte
{
    /// <summary>Process Lifecycle Manager: owns ids, payloads, retries and delivery.</summary>
    Plm = 0,

    /// <summary>Decides which ready task runs where.</summary>
    Scheduler = 1,

    /// <summary>Judges health and records results.</summary>
    Register = 2,
}
