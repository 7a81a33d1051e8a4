// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Reads the messages of a stream, one call at a time.</summary>
internal interface IAsyncStreamReader<out T>
{
    /// <summary>The message that the last successful <see cref="MoveNext"/> found.</summary>
    T Current { get; }

    /// <summary>
    /// Waits for the next message; false at the end. Throws <see cref="RpcException"/> when the call failed.
    /// </summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}
