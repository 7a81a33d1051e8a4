// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Writes the messages of a stream, one call at a time.</summary>
internal interface IAsyncStreamWriter<in T>
{
    WriteOptions? WriteOptions { get; set; }

    /// <summary>Ends when the message was taken over and the stream has room for another.</summary>
    Task WriteAsync(T message);

    /// <summary>As the other; a cancelled write also cancels the call.</summary>
    Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        return cancellationToken.CanBeCanceled
            ? throw new NotSupportedException("This stream writer does not support cancelling a write.")
            : WriteAsync(message);
    }
}
