// SPDX-License-Identifier: Apache-2.0
namespace Muster.Worker.Execution;

/// <summary>Takes word that the book holds something the Register should hear. Both are for any thread.</summary>
internal interface IResultSender
{
    /// <summary>
    /// Sends it now, on the calling thread as far as that needs no waiting: for a thread without other work.
    /// </summary>
    void Flush();

    /// <summary>Has it sent by the heartbeat thread: for a thread that has more to run.</summary>
    void FlushSoon();

    /// <summary>An attempt's time is over at this moment, maybe before the heartbeat thread would look.</summary>
    void DeadlineAt(long timestamp);
}
