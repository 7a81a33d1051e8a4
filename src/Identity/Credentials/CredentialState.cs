// SPDX-License-Identifier: Apache-2.0
namespace Muster.Identity.Credentials;

/// <summary>What a proof of identity is worth.</summary>
internal enum CredentialState
{
    /// <summary>It proves nothing: unknown, damaged, or not this cell's.</summary>
    Unknown,
    Valid,
    Expired,
    Revoked,
}
