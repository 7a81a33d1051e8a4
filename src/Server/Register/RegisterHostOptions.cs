// SPDX-License-Identifier: Apache-2.0
using Muster.Register;
using Muster.Server.Roles;

namespace Muster.Server.RegisterHosting;

/// <summary>What a <see cref="RegisterHost"/> needs to know.</summary>
internal sealed record RegisterHostOptions : RoleHostOptions
{
    public RegisterOptions Core { get; init; } = new();

    /// <summary>
    /// Bytes of answers that wait for one slow worker. Default 4,194,304; more are dropped, because the next answer
    /// confirms the same results again.
    /// </summary>
    public int OutboxBytesMax { get; init; } = 4 << 20;
}
