// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Linq;
using Muster.Identity.Credentials;
using Muster.Transport;

namespace Muster.Identity.Joining;

/// <summary>
/// The one line by which a worker or a client joins: TOKEN@host:port, further host:port behind commas. The token says
/// who it is and which authority the server must have.
/// </summary>
/// <param name="Token">With the authority's fingerprint.</param>
/// <param name="Address">All of them as one address of a channel.</param>
internal sealed record JoinLine(TokenText Token, string Address)
{
    private const string Scheme = "https://";

    public override string ToString() => $"{Token}@{HostsOf(Address)}";

    public static bool TryParse(string text, [NotNullWhen(true)] out JoinLine? line)
    {
        line = null;
        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at < 0
            || !TokenText.TryParse(text.AsSpan(0, at), out var token)
            || token.Fingerprint is null)
        {
            return false;
        }

        var address = AddressOf(text[(at + 1)..].Split(','));
        if (!ChannelAddress.TryParse(address, out _))
        {
            return false;
        }

        line = new(token, address);
        return true;
    }

    /// <summary>host:port of each as one address.</summary>
    public static string AddressOf(IEnumerable<string> hosts) =>
        string.Join(',', hosts.Select(host => Scheme + host.Trim()));

    private static string HostsOf(string address) =>
        string.Join(',', address.Split(',').Select(each => each[Scheme.Length..]));
}
