// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;

namespace Muster.Server.Http2;

/// <summary>
/// The accounts of all addresses that have connections, so that no single one takes all that there is: of IPv6 the 64
/// bits that a subscriber gets. Peers on a Unix socket are of this user, and have none. Any thread.
/// </summary>
internal sealed class PeerAccounts(int connectionsMax, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<UInt128, PeerAccount> _accounts = [];
    private readonly int _connectionsEach =
        Math.Max(ServerLimits.ConnectionsPerAddressMin, connectionsMax / ServerLimits.AddressShare);

    /// <summary>Counts a connection in.</summary>
    /// <param name="peer">Where it comes from.</param>
    /// <param name="account">Of that address; null for peers that need none.</param>
    /// <returns>False: the address has all the connections that it may have.</returns>
    public bool TryOpen(EndPoint? peer, out PeerAccount? account)
    {
        account = null;
        if (peer is not IPEndPoint { Address: var address })
        {
            return true;
        }

        var key = KeyOf(address);
        lock (_gate)
        {
            if (!_accounts.TryGetValue(key, out account))
            {
                account = new(
                    key,
                    ServerLimits.CallsPerAddressMax,
                    ServerLimits.CallsPerSecondMax,
                    ServerLimits.CallsAtOnceMax,
                    time.TimestampFrequency);
                _accounts.Add(key, account);
            }

            if (account.Connections >= _connectionsEach)
            {
                return false;
            }

            account.Connections++;
            return true;
        }
    }

    /// <summary>Counts a connection out; an address without any is forgotten.</summary>
    public void Close(PeerAccount? account)
    {
        if (account is null)
        {
            return;
        }

        lock (_gate)
        {
            if (--account.Connections == 0)
            {
                _accounts.Remove(account.Key);
            }
        }
    }

    private static UInt128 KeyOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        bytes.Clear();
        _ = plain.TryWriteBytes(bytes, out _);
        if (plain.AddressFamily == AddressFamily.InterNetworkV6)
        {
            bytes[8..].Clear();

            // No address of the other family, which fills the first four bytes, becomes the same key.
            bytes[15] = 1;
        }

        return BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }
}
