// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>
/// One open stream to the Register or the Scheduler. One reader and one writer at a time. Every way in which it can
/// break is a <see cref="LinkException"/>.
/// </summary>
internal interface IMessageStream : IAsyncDisposable
{
    /// <summary>Sends a message and uses it up.</summary>
    ValueTask WriteAsync(RawMessage message);

    /// <summary>The next message, which the caller disposes; null when the peer has ended the stream well.</summary>
    ValueTask<RawMessage?> ReadAsync();

    /// <summary>Says that nothing more will be written.</summary>
    ValueTask CompleteAsync();

    /// <summary>Ends the stream at once; pending reads and writes fail. For any thread, any number of times.</summary>
    void Abort();
}
