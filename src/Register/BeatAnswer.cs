// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Register;

/// <summary>
/// What a heartbeat is answered with. Owned by the stream's host, which hands the same one in again and again; filled
/// in a turn.
/// </summary>
internal sealed class BeatAnswer
{
    /// <summary>Every result up to this number is safe.</summary>
    public ulong ConfirmedResultNumber { get; set; }

    /// <summary>Not 0: beat this often from now on.</summary>
    public uint IntervalMs { get; set; }

    /// <summary>Attempts whose results were refused because they are not the worker's any more.</summary>
    public List<AttemptKey> Superseded { get; } = [];

    /// <summary>Not none: send the answer, then end the stream with it.</summary>
    public Fault Fault { get; set; }

    /// <summary>The worker said goodbye: send the answer, then end the stream well.</summary>
    public bool IsLast { get; set; }

    public void Clear()
    {
        ConfirmedResultNumber = 0;
        IntervalMs = 0;
        Superseded.Clear();
        Fault = Fault.None;
        IsLast = false;
    }
}
