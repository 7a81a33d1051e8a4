// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http.Features;

namespace Muster.Server.Endpoint;

/// <summary>The address of a peer in gRPC's own spelling, for people and logs.</summary>
internal static class PeerName
{
    public static string Of(IFeatureCollection features)
    {
        var connection = features.Get<IHttpConnectionFeature>();
        if (connection?.RemoteIpAddress is not { } address)
        {
            return "unix:";
        }

        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? string.Create(CultureInfo.InvariantCulture, $"ipv6:[{address}]:{connection.RemotePort}")
            : string.Create(CultureInfo.InvariantCulture, $"ipv4:{address}:{connection.RemotePort}");
    }
}
