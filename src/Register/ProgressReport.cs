// SPDX-License-Identifier: Apache-2.0
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>What a running attempt says; its text is a place in the message that carried it.</summary>
internal struct ProgressReport
{
    public AttemptKey Key;
    public int DetailsStart;
    public int DetailsBytes;

    /// <summary>Said so long before the message was written.</summary>
    public ulong AgeUs;
}
