// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Arena.Heap;
using Muster.Core;
using Muster.Core.Tasks;

namespace Muster.Scheduler;

/// <summary>
/// What the Scheduler orders its host to do. Called inside a turn, on the turn's thread; the host encodes at once (the
/// spans are reused after the call) and sends after the turn. None of these may call back into the core.
/// </summary>
internal interface ISchedulerEffects
{
    /// <summary>
    /// Send these attempts down the row's stream, in order. An attempt that was cancelled meanwhile, so that its
    /// payload may be gone, is left out. When the stream has no room for one, it and all after it are not sent, and the
    /// host calls <see cref="SchedulerCore.StreamHasRoom"/> once there is room again.
    /// </summary>
    SendOutcome SendAssignments(uint row, in AssignmentTerms terms, ReadOnlySpan<TakenTask> tasks);

    /// <summary>Tell the row's worker to stop these attempts.</summary>
    void SendCancels(uint row, ReadOnlySpan<AttemptKey> attempts);

    /// <summary>End the row's stream with this fault; the core counts it as closed already.</summary>
    void CloseStream(uint row, long stream, Fault fault);
}
