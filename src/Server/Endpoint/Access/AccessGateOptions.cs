// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>What an <see cref="AccessGate"/> works with; it disposes what can be disposed.</summary>
internal sealed record AccessGateOptions
{
    /// <summary>The cell's identities; null: only its own user is served, and who comes by loopback when the mode is
    /// none.</summary>
    public CredentialStore? Store { get; init; }

    public AuthMode Mode { get; init; }

    /// <summary>Null: the server speaks no TLS.</summary>
    public AuthorityTlsFront? Tls { get; init; }

    /// <summary>Null: nothing is written.</summary>
    public AuditLog? Audit { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;
}
