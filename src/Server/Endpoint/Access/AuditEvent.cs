// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Server.Endpoint.Access;

/// <summary>One line of the audit log.</summary>
/// <param name="At">When.</param>
/// <param name="Act">The method, or the command's verb.</param>
/// <param name="Identity">Name of who did it.</param>
/// <param name="IdentityId">Its id; null: a peer that needs no credential, or nobody that is known.</param>
/// <param name="Peer">Where it came from.</param>
/// <param name="Code">Why it was refused; null: it was not.</param>
/// <param name="Count">How many things it touched; 0: not said.</param>
internal readonly record struct AuditEvent(
    DateTimeOffset At, string Act, string Identity, string? IdentityId, string Peer, string? Code, int Count = 0);
