// SPDX-License-Identifier: Apache-2.0
namespace Muster.Transport.Http2;

/// <summary>Who writes to the socket what was just put into the outbox.</summary>
internal enum FlushTurn
{
    /// <summary>Another thread is writing, or will be, and takes it along.</summary>
    None,

    /// <summary>The caller, before it returns.</summary>
    Now,

    /// <summary>A thread of the pool.</summary>
    Later,
}
