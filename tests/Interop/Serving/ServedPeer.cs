// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Interop.Peers;
using Muster.Interop.V1;
using Muster.Server.Endpoint;
using Xunit;

namespace Muster.Interop.Serving;

/// <summary>Our server with one peer as its client: started once for all cases of that peer.</summary>
public abstract class ServedPeer : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("muster-interop-").FullName;
    private TestCertificate? _certificate;
    private GrpcEndpoint? _plain;
    private GrpcEndpoint? _secure;

    internal InteropEcho Service { get; } = new();

    internal PeerProcess Peer { get; private set; } = null!;

    internal HealthBoard Health => _plain!.Health;

    internal List<InvariantException> Violations { get; } = [];

    /// <summary>host:port without encryption.</summary>
    public string Target { get; private set; } = "";

    public string UnixTarget { get; private set; } = "";

    public string SecureTarget { get; private set; } = "";

    public string CertificateFile => _certificate!.CertificateFile;

    public async Task InitializeAsync()
    {
        _certificate = new TestCertificate(_folder);
        _plain = await StartAsync(new EndpointOptions
        {
            SocketPath = Path.Combine(_folder, "s", "interop.sock"),
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            InvariantViolated = Violations.Add,
        });
        _secure = await StartAsync(new EndpointOptions
        {
            Loopback = [new IPEndPoint(IPAddress.Loopback, 0)],
            Certificate = _certificate.Certificate,
        });
        UnixTarget = _plain.Addresses[0];
        Target = HostPort(_plain.Addresses[1]);
        SecureTarget = "localhost:" + new Uri(_secure.Addresses[0]).Port;
        Peer = await StartPeerAsync();
    }

    public async Task DisposeAsync()
    {
        await Peer.DisposeAsync();
        await _plain!.DisposeAsync();
        await _secure!.DisposeAsync();
        _certificate!.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    internal static string HostPort(string address) => new Uri(address).Authority;

    /// <summary>One more server, for a case that ends it.</summary>
    internal Task<GrpcEndpoint> StartAnotherAsync() =>
        StartAsync(new EndpointOptions { Loopback = [new IPEndPoint(IPAddress.Loopback, 0)] });

    private protected abstract Task<PeerProcess> StartPeerAsync();

    private async Task<GrpcEndpoint> StartAsync(EndpointOptions options)
    {
        var endpoint = new GrpcEndpoint(options)
            .Add(InteropService.BindService(Service), static () => InteropService.Descriptor);
        var fault = await endpoint.StartAsync();
        Assert.Equal(Fault.None, fault);
        return endpoint;
    }
}
