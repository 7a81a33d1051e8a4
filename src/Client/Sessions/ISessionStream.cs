// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Wire;

namespace Muster.Client.Sessions;

/// <summary>
/// One open Session stream, as the <see cref="SessionEngine"/> needs it: one writer and one reader at a time. Failures
/// are <see cref="MusterException"/>.
/// </summary>
internal interface ISessionStream : IAsyncDisposable
{
    /// <summary>Sends one SessionRequest; the stream disposes the message. Waits while the other side is
    /// slow.</summary>
    Task WriteAsync(RawMessage message);

    /// <summary>The next SessionResponse, which the caller disposes; null when the server ended the stream.</summary>
    Task<RawMessage?> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Says that nothing more will be sent.</summary>
    Task CompleteAsync();
}
