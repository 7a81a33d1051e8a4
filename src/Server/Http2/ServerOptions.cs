// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Muster.Server.Http2;

/// <summary>What the connections of one server share.</summary>
internal sealed record ServerOptions
{
    /// <summary>Calls open at the same time on one connection.</summary>
    public int StreamsMax { get; init; } = 100;

    /// <summary>What all connections hold of requests.</summary>
    public RequestBytes RequestBytes { get; init; } = RequestBytes.OfMachine();

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogger Logger { get; init; } = NullLogger.Instance;
}
