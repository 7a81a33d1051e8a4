// SPDX-License-Identifier: Apache-2.0
using Muster.Core;

namespace Muster.Server.PlmHosting;

/// <summary>The rule for the version of the contract that a caller says it speaks.</summary>
internal static class WireVersions
{
    /// <summary>0 means 1, for callers that leave the field out.</summary>
    public static Fault Check(uint version) =>
        version is 0 or TaskLimits.WireVersion
            ? Fault.None
            : new(
                FaultCode.WireVersionUnsupported,
                $"the caller speaks version {version} of the contract and this server speaks version "
                + $"{TaskLimits.WireVersion}; use a client of this version");
}
