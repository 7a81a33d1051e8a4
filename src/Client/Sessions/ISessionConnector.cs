// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Client.Sessions;

/// <summary>The way to a cell: who this client is, and a stream to the PLM. Failures are <see
/// cref="MusterException"/>.</summary>
internal interface ISessionConnector : IAsyncDisposable
{
    /// <summary>Where it connects to, for messages.</summary>
    string Address { get; }

    /// <summary>A session id that no other client was given.</summary>
    Task<ulong> RegisterAsync(CancellationToken cancellationToken);

    /// <summary>A new stream to the PLM; nothing was sent on it.</summary>
    Task<ISessionStream> OpenAsync(CancellationToken cancellationToken);

    /// <summary>Waits for so long after a failure, or until the server that was tried is there again.</summary>
    Task PauseAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken) =>
        Task.Delay(longest, time, cancellationToken);

    /// <summary>
    /// The encoded TaskResult of a task, whoever submitted it; null when it has not ended within
    /// <see cref="SessionLimits.AwaitMsMax"/>.
    /// </summary>
    Task<byte[]?> AwaitTaskAsync(TaskId id, CancellationToken cancellationToken);
}
