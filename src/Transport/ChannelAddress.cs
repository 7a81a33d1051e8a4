// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using System.Net;
using System.Net.Sockets;

namespace Muster.Transport;

/// <summary>
/// Where a server listens: unix:/path, http://host:port or https://host:port, of the latter two also several with
/// commas between them. Immutable.
/// </summary>
internal sealed class ChannelAddress
{
    private const string UnixPrefix = "unix:";

    private ChannelAddress(
        string text, IReadOnlyList<EndPoint> endPoints, string authority, string host, bool secure)
    {
        Text = text;
        EndPoints = endPoints;
        Authority = authority;
        Host = host;
        IsSecure = secure;
    }

    public string Text { get; }

    /// <summary>The first of them.</summary>
    public EndPoint EndPoint => EndPoints[0];

    /// <summary>Places that are as good as each other, the one to try first in front; at least one.</summary>
    public IReadOnlyList<EndPoint> EndPoints { get; }

    /// <summary>The :authority header; "localhost" for a Unix socket, as gRPC has it.</summary>
    public string Authority { get; }

    /// <summary>The name that a certificate must show.</summary>
    public string Host { get; }

    public bool IsSecure { get; }

    /// <summary>Nobody between here and there reads along: TLS, or a place on this host.</summary>
    public bool MayCarrySecrets => IsSecure || EndPoints.All(static place =>
        place is UnixDomainSocketEndPoint || (place is IPEndPoint ip && IPAddress.IsLoopback(ip.Address)));

    public static ChannelAddress Parse(string text) => TryParse(text, out var address)
        ? address
        : throw new ArgumentException(
            $"'{text}' is not an address; it must be unix:/path, http://host:port or https://host:port.", nameof(text));

    public static bool TryParse(string text, [NotNullWhen(true)] out ChannelAddress? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = text.StartsWith(UnixPrefix, StringComparison.Ordinal)
            ? ParseUnix(text)
            : text.Contains(',', StringComparison.Ordinal) ? ParseSeveral(text) : ParseTcp(text);
        return address is not null;
    }

    private static ChannelAddress? ParseUnix(string text)
    {
        var path = text[UnixPrefix.Length..];
        if (path.StartsWith("//", StringComparison.Ordinal))
        {
            // unix:///path is the same place written as a URI.
            path = path[2..];
        }

        if (path.Length < 2 || path[0] != '/' || path.Contains('\0', StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return new(text, [new UnixDomainSocketEndPoint(path)], "localhost", "localhost", false);
        }
        catch (ArgumentOutOfRangeException)
        {
            // Longer than the kernel takes.
            return null;
        }
    }

    private static ChannelAddress? ParseSeveral(string text)
    {
        var endPoints = new List<EndPoint>();
        ChannelAddress? first = null;
        foreach (var part in text.Split(','))
        {
            if (ParseTcp(part.Trim()) is not { } one || (first is not null && first.IsSecure != one.IsSecure))
            {
                return null;
            }

            first ??= one;
            endPoints.Add(one.EndPoint);
        }

        return new(text, endPoints, first!.Authority, first.Host, first.IsSecure);
    }

    private static ChannelAddress? ParseTcp(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri)
            || uri.Scheme is not ("http" or "https")
            || uri.Port is < 1 or > 65_535
            || uri.PathAndQuery != "/"
            || uri.UserInfo.Length > 0
            || uri.Fragment.Length > 0
            || uri.IdnHost.Length == 0)
        {
            return null;
        }

        EndPoint endPoint = IPAddress.TryParse(uri.DnsSafeHost, out var ip)
            ? new IPEndPoint(ip, uri.Port)
            : new DnsEndPoint(uri.IdnHost, uri.Port, AddressFamily.Unspecified);
        return new(text, [endPoint], uri.Authority, uri.IdnHost, uri.Scheme == "https");
    }
}
