// SPDX-License-Identifier: Apache-2.0
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>Who may call a method.</summary>
/// <param name="AnyOf">One of these rights is needed; none: any identity will do.</param>
/// <param name="Everybodys">One of these extends the call to other identities' tasks; none: the call touches no tasks,
/// or the caller's own alone.</param>
/// <param name="IsForOneQueue">The call itself says for which queue it is; a right on any of them is enough to be
/// heard, and whether it is that one is asked then.</param>
/// <param name="IsOpen">Also who has no credential.</param>
/// <param name="IsPrivileged">Each call is written to the audit log.</param>
internal sealed record AccessRule(
    Rights AnyOf,
    Rights Everybodys = Rights.None,
    bool IsForOneQueue = false,
    bool IsOpen = false,
    bool IsPrivileged = false)
{
    public bool Allows(Caller caller) =>
        AnyOf == Rights.None || ((IsForOneQueue ? caller.RightsAnywhere : caller.Rights) & AnyOf) != 0;
}
