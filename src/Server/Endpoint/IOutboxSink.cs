// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO.Pipelines;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Server.Endpoint;

/// <summary>Where a <see cref="StreamOutbox"/> sends: the call that it belongs to, or a test.</summary>
internal interface IOutboxSink
{
    /// <summary>
    /// Writes messages that already have their prefixes, and flushes once. The bytes are copied before this returns a
    /// result; one call at a time. A cancelled or completed result, or an exception, means that nothing goes out any
    /// more.
    /// </summary>
    ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> framed);

    /// <summary>Ends the call: wakes its handler with the exception, whose status the peer gets after what was
    /// appended.</summary>
    void EndWith(RpcException why);
}
