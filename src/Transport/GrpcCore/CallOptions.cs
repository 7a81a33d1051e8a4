// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Threading;

namespace Grpc.Core;

/// <summary>What a caller asks for one call, beside its message.</summary>
[method: SuppressMessage("Design", "CA1068", Justification = "The order is that of the published type.")]
internal readonly struct CallOptions(
    Metadata? headers = null,
    DateTime? deadline = null,
    CancellationToken cancellationToken = default,
    WriteOptions? writeOptions = null,
    ContextPropagationToken? propagationToken = null)
{
    public Metadata? Headers { get; init; } = headers;

    /// <summary>When to give up, in UTC. Null: never.</summary>
    public DateTime? Deadline { get; init; } = deadline;

    public CancellationToken CancellationToken { get; init; } = cancellationToken;

    public WriteOptions? WriteOptions { get; init; } = writeOptions;

    public ContextPropagationToken? PropagationToken { get; init; } = propagationToken;

    /// <summary>Wait for a connection instead of failing with UNAVAILABLE when there is none.</summary>
    public bool IsWaitForReady { get; init; }

    public CallOptions WithHeaders(Metadata headers) => this with { Headers = headers };

    public CallOptions WithDeadline(DateTime deadline) => this with { Deadline = deadline };

    public CallOptions WithCancellationToken(CancellationToken cancellationToken) =>
        this with { CancellationToken = cancellationToken };

    public CallOptions WithWriteOptions(WriteOptions writeOptions) => this with { WriteOptions = writeOptions };

    public CallOptions WithPropagationToken(ContextPropagationToken propagationToken) =>
        this with { PropagationToken = propagationToken };

    public CallOptions WithWaitForReady(bool waitForReady = true) => this with { IsWaitForReady = waitForReady };
}
