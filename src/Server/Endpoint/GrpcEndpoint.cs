// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// A gRPC server on bare Kestrel: HTTP/2 alone, without a web host, middleware or dependency injection. Services are
/// added first, then it starts; health and reflection come with it. Stopping before the start and stopping twice are
/// allowed. Not thread-safe; its owner is the host of the process.
/// </summary>
internal sealed class GrpcEndpoint : IAsyncDisposable
{
    private readonly EndpointOptions _options;
    private readonly MethodTable _methods = new();
    private readonly List<ServiceDescriptor> _descriptors = [];
    private readonly List<string> _addresses = [];

    private ListenSockets? _sockets;
    private GrpcApplication? _application;
    private KestrelServices? _services;
    private KestrelServer? _kestrel;
    private LinkListener? _links;
    private bool _stopped;

    public GrpcEndpoint(EndpointOptions options) => _options = options;

    /// <summary>What grpc.health.v1 answers. Every added service is serving from the start.</summary>
    public HealthBoard Health { get; } = new();

    /// <summary>Where it listens, once started: the Unix socket first, then the ports that were chosen.</summary>
    public IReadOnlyList<string> Addresses => _addresses;

    /// <summary>Streams open now.</summary>
    public int StreamCount => _application?.StreamCount ?? 0;

    /// <summary>Adds a service. With its descriptor it is also shown by reflection and health.</summary>
    public GrpcEndpoint Add(ServerServiceDefinition service, ServiceDescriptor? descriptor = null)
    {
        Invariant.That(_application is null);
        service.BindService(_methods);
        if (descriptor is not null)
        {
            _descriptors.Add(descriptor);
            Health.Set(descriptor.FullName, serving: true);
        }

        return this;
    }

    /// <summary>Binds and begins to serve; a fault when an address or a limit does not allow it.</summary>
    public async Task<Fault> StartAsync(CancellationToken cancellationToken = default)
    {
        Invariant.That(_application is null && !_stopped);
        var fault = ConnectionBudget.Settle(_options.ConnectionsMax, out var connections);
        if (fault.IsNone)
        {
            fault = ListenSockets.Bind(_options, out _sockets);
        }

        if (!fault.IsNone)
        {
            return fault;
        }

        AddOwnServices();
        _application = new GrpcApplication(_options, _methods.Freeze());
        var server = KestrelOptions(connections);
        var sockets = _sockets!;
        List<EndPoint> endPoints = [.. sockets.EndPoints];
        foreach (var endPoint in endPoints)
        {
            Listen(server, endPoint);
        }

        var transport = new SocketTransportFactory(
            Options.Create(new SocketTransportOptions { CreateBoundListenSocket = sockets.Take }), _options.Logs);
        _kestrel = new KestrelServer(Options.Create(server), transport, _options.Logs);
        await _kestrel.StartAsync(_application, cancellationToken).ConfigureAwait(false);
        if (_options.SocketPath is { } path)
        {
            fault = LinkListener.Start(_application, _methods.FreezeLinked(), path, out _links);
        }

        foreach (var address in _addresses)
        {
            EndpointLog.Listening(_application.Logger, address);
        }

        return fault;
    }

    /// <summary>
    /// Ends every stream with UNAVAILABLE, waits for what runs at most <paramref name="grace"/>, then cuts. Zero cuts
    /// at once, as a killed process would.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        _links?.Dispose();
        if (_kestrel is not null)
        {
            using var cut = new CancellationTokenSource();
            if (grace <= TimeSpan.Zero)
            {
                await cut.CancelAsync().ConfigureAwait(false);
            }
            else
            {
                Health.StopAll();
                _application!.Stop();
                cut.CancelAfter(grace);
            }

            var links = _links?.WhenEndedAsync(cut.Token) ?? Task.CompletedTask;
            await _kestrel.StopAsync(cut.Token).ConfigureAwait(false);
            await links.ConfigureAwait(false);
            _application!.Stop();
            _kestrel.Dispose();
            _services?.Dispose();
        }

        _sockets?.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);

    private void AddOwnServices()
    {
        Add(Grpc.Health.V1.Health.BindService(new HealthService(Health)), Grpc.Health.V1.Health.Descriptor);
        var alpha = Grpc.Reflection.V1Alpha.ServerReflection.Descriptor;
        var current = Grpc.Reflection.V1.ServerReflection.Descriptor;
        var index = new DescriptorIndex([.. _descriptors, current, alpha]);
        Add(Grpc.Reflection.V1.ServerReflection.BindService(new ReflectionService(index)), current);
        Add(Grpc.Reflection.V1Alpha.ServerReflection.BindService(new ReflectionAlphaService(index)), alpha);
    }

    private KestrelServerOptions KestrelOptions(int connections)
    {
        var options = new KestrelServerOptions
        {
            AddServerHeader = false,
            ApplicationServices = _services = new KestrelServices(_options.Logs, _options.Certificate is not null),
        };
        var limits = options.Limits;
        limits.MaxConcurrentConnections = connections;
        limits.MaxRequestBodySize = null;
        limits.MinResponseDataRate = null;
        limits.RequestHeadersTimeout = EndpointLimits.RequestHeadersTimeout;
        limits.KeepAliveTimeout = EndpointLimits.IdleConnectionTimeout;
        limits.MaxRequestHeadersTotalSize = EndpointLimits.HeaderBytesMax;
        limits.MaxRequestHeaderCount = EndpointLimits.HeaderCountMax;
        limits.Http2.MaxStreamsPerConnection = _options.StreamsPerConnectionMax;
        limits.Http2.InitialConnectionWindowSize = EndpointLimits.ConnectionWindowBytes;
        limits.Http2.InitialStreamWindowSize = EndpointLimits.StreamWindowBytes;
        limits.Http2.KeepAlivePingDelay = EndpointLimits.PingDelay;
        limits.Http2.KeepAlivePingTimeout = EndpointLimits.PingTimeout;
        return options;
    }

    private void Listen(KestrelServerOptions server, EndPoint endPoint)
    {
        if (endPoint is UnixDomainSocketEndPoint)
        {
            server.ListenUnixSocket(_options.SocketPath!, static listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(ConnectionEnd.Watch);
            });
            _addresses.Insert(0, "unix:" + _options.SocketPath);
            return;
        }

        var certificate = _options.Certificate;
        server.Listen((IPEndPoint)endPoint, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.Use(ConnectionEnd.Watch);
            if (certificate is not null)
            {
                listen.UseHttps(new HttpsConnectionAdapterOptions { ServerCertificate = certificate });
            }
        });
        _addresses.Add((certificate is null ? "http://" : "https://") + endPoint);
    }
}
