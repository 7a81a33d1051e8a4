// SPDX-License-Identifier: Apache-2.0
using Muster.Server.Endpoint.Access;

namespace Muster.Unit.Access;

/// <summary>A cell to which nobody speaks without a certificate of its authority.</summary>
public sealed class CertificatesOnlyCell : AccessCell
{
    internal override AuthMode Mode => AuthMode.Certificates;
}
