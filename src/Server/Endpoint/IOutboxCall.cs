// SPDX-License-Identifier: Apache-2.0
using Muster.Server.Endpoint.Access;

namespace Muster.Server.Endpoint;

/// <summary>A call that may have a <see cref="StreamOutbox"/>: over gRPC or over a link.</summary>
internal interface IOutboxCall : IOutboxSink
{
    /// <summary>Who makes the call.</summary>
    Caller Caller { get; }

    /// <summary>How the connection ended, if anybody looks.</summary>
    ConnectionEnd? Connection { get; }

    /// <summary>The outbox of the call, which the call drains and closes at its end. At most once.</summary>
    void Attach(StreamOutbox outbox);
}
