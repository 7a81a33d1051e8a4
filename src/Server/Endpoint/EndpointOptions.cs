// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Core;
using Muster.Server.Endpoint.Access;
using Muster.Server.Http2;

namespace Muster.Server.Endpoint;

/// <summary>Where a server listens, and what it allows. Checked as a whole when the endpoint starts.</summary>
internal sealed record EndpointOptions
{
    /// <summary>Absolute path of the Unix socket; null: none. Its folder is made with mode 0700 when missing.</summary>
    public string? SocketPath { get; init; }

    /// <summary>Addresses to listen on; port 0 takes a free one. One that is not loopback is refused unless there is a
    /// gate that asks for credentials over TLS.</summary>
    public IReadOnlyList<IPEndPoint> Loopback { get; init; } = [];

    /// <summary>Not null: decides about every call, and TCP speaks TLS as it says. Null: every call is taken for one of
    /// the process's own user, and TCP is for loopback alone.</summary>
    public AccessGate? Gate { get; init; }

    /// <summary>How the TCP addresses speak TLS; null: they do not, unless there is a certificate.</summary>
    public TlsFront? Tls { get; init; }

    /// <summary>Not null: the loopback addresses speak TLS with ALPN h2. The Unix socket never does.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Connections at the same time. 0: as many as the limit of open files allows, at most 10,000.</summary>
    public int ConnectionsMax { get; init; }

    /// <summary>Calls open at the same time on one connection. Default 100.</summary>
    public int StreamsPerConnectionMax { get; init; } = EndpointLimits.StreamsPerConnectionMax;

    /// <summary>
    /// Calls of the added services wait until <see cref="GrpcEndpoint.LetCallsIn"/>, for a while; health and reflection
    /// answer at once. False, the default: nobody waits.
    /// </summary>
    public bool HoldsCalls { get; init; }

    /// <summary>
    /// Bytes of requests that may have arrived, on all connections together, without a handler having taken them. 0: an
    /// eighth of the memory, at least 64 MiB.
    /// </summary>
    public long RequestBytesMax { get; init; }

    /// <summary>
    /// Told when a handler violated an invariant; the host stops its component. Called on the call's own thread.
    /// </summary>
    public Action<InvariantException>? InvariantViolated { get; init; }

    /// <summary>Time for deadlines.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
