// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.IO;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Threading.Tasks;
using Muster.Interop.Peers;
using Muster.Transport;
using Xunit;

namespace Muster.Interop.Calling;

/// <summary>One peer as server with our client: started once for all cases of that peer.</summary>
public abstract class CalledPeer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-interop-").FullName;
    private readonly ConcurrentBag<GrpcChannel> _channels = [];
    private TestCertificate? _certificate;

    internal PeerProcess Peer { get; private set; } = null!;

    internal GrpcChannel Channel { get; private set; } = null!;

    internal GrpcChannel UnixChannel { get; private set; } = null!;

    internal GrpcChannel SecureChannel { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _certificate = new TestCertificate(_folder);
        var socket = SocketPath("peer");
        Peer = await StartServerAsync(socket);
        Channel = Open(AddressOf(Peer));
        UnixChannel = Open("unix:" + socket);
        var trust = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust };
        trust.CustomTrustStore.Add(_certificate.Certificate);
        trust.RevocationMode = X509RevocationMode.NoCheck;
        SecureChannel = Open(
            $"https://localhost:{Peer.Ready["tlsPort"]}",
            new GrpcChannelOptions { Tls = new SslClientAuthenticationOptions { CertificateChainPolicy = trust } });
    }

    public async Task DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            await channel.DisposeAsync();
        }

        await Peer.DisposeAsync();
        _certificate!.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal static string AddressOf(PeerProcess peer) => $"http://127.0.0.1:{peer.Ready["port"]}";

    internal GrpcChannel Open(string address, GrpcChannelOptions? options = null)
    {
        var channel = GrpcChannel.ForAddress(address, options);
        _channels.Add(channel);
        return channel;
    }

    internal string SocketPath(string name) => Path.Combine(_folder, name + ".sock");

    /// <summary>One more server, for a case that kills it or wants it otherwise.</summary>
    internal Task<PeerProcess> StartServerAsync(string socket, string compression = "identity") =>
        StartPeerAsync([socket, _certificate!.CertificateFile, _certificate.KeyFile, compression]);

    private protected abstract Task<PeerProcess> StartPeerAsync(string[] arguments);
}
