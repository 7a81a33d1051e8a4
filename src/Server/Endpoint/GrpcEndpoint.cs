// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Http2;

namespace Muster.Server.Endpoint;

/// <summary>
/// A gRPC server on HTTP/2 of our own. Services are added first, then it starts; health and reflection come with it.
/// Stopping before the start and stopping twice are allowed. Not thread-safe; its owner is the host of the process.
/// </summary>
internal sealed class GrpcEndpoint : IAsyncDisposable
{
    private readonly EndpointOptions _options;
    private readonly MethodTable _methods = new();
    private readonly List<Func<ServiceDescriptor>> _descriptors = [];
    private readonly List<string> _services = [];
    private readonly List<string> _addresses = [];

    private ListenSockets? _sockets;
    private CallGate? _gate;
    private CallRouter? _router;
    private ServerListener? _listener;
    private LinkListener? _links;
    private bool _stopped;

    public GrpcEndpoint(EndpointOptions options) => _options = options;

    /// <summary>What grpc.health.v1 answers. Every added service is serving from the start.</summary>
    public HealthBoard Health { get; } = new();

    /// <summary>Where it listens, once started: the Unix socket first, then the ports that were chosen.</summary>
    public IReadOnlyList<string> Addresses => _addresses;

    /// <summary>Streams open now.</summary>
    public int StreamCount => _router?.StreamCount ?? 0;

    /// <summary>Names of the services that were added with a descriptor; not those of the endpoint itself.</summary>
    public IReadOnlyList<string> Services => _services;

    /// <summary>
    /// Adds a service. With its descriptor it is also shown by reflection and health. Descriptors are asked for when
    /// somebody reflects: building them takes longer than everything else of a start here.
    /// </summary>
    public GrpcEndpoint Add(ServerServiceDefinition service, Func<ServiceDescriptor>? descriptor = null)
    {
        Invariant.That(_router is null);
        service.BindService(_methods);
        if (descriptor is not null)
        {
            _descriptors.Add(descriptor);
            _services.Add(_methods.LastService);
            Health.Set(_methods.LastService, serving: true);
        }

        return this;
    }

    /// <summary>Binds and begins to serve; a fault when an address or a limit does not allow it.</summary>
    public Task<Fault> StartAsync(CancellationToken cancellationToken = default) =>
        cancellationToken.IsCancellationRequested
            ? Task.FromCanceled<Fault>(cancellationToken)
            : Task.FromResult(Start());

    private Fault Start()
    {
        Invariant.That(_router is null && !_stopped);
        var fault = ConnectionBudget.Settle(_options.ConnectionsMax, out var connections);
        if (fault.IsNone)
        {
            fault = ListenSockets.Bind(_options, out _sockets);
        }

        if (fault.IsNone && _options.SocketPath is { } path)
        {
            fault = LinkListener.Bind(path, out _links);
        }

        if (!fault.IsNone)
        {
            return fault;
        }

        AddOwnServices();
        _gate = new CallGate(!_options.HoldsCalls, _options.Time);
        _router = new CallRouter(_options, _methods.Freeze(), _gate);
        if (_options.Gate is { } gate)
        {
            gate.Changed = _router.EndRefused;
        }

        _listener = new ServerListener(
            _router,
            new ServerOptions
            {
                StreamsMax = _options.StreamsPerConnectionMax,
                RequestBytes = _options.RequestBytesMax > 0
                    ? new RequestBytes(_options.RequestBytesMax)
                    : RequestBytes.OfMachine(),
                Time = _options.Time,
                Logger = _router.Logger,
            },
            connections);
        var sockets = _sockets!;
        List<EndPoint> endPoints = [.. sockets.EndPoints];
        foreach (var endPoint in endPoints)
        {
            Listen(sockets.Take(endPoint), endPoint);
        }

        _links?.Serve(_router, _methods.FreezeLinked());
        foreach (var address in _addresses)
        {
            EndpointLog.Listening(_router.Logger, address);
        }

        return Fault.None;
    }

    /// <summary>
    /// The services behind the calls are ready: those that wait go on. Any number of times, and not before the start.
    /// </summary>
    public void LetCallsIn() => _gate!.Open();

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
        _gate?.Dispose();
        _links?.Dispose();
        if (_listener is not null)
        {
            await EndAsync(_listener, grace).ConfigureAwait(false);
        }

        _sockets?.Dispose();
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.FromSeconds(1)).ConfigureAwait(false);

    private async Task EndAsync(ServerListener listener, TimeSpan grace)
    {
        using var cut = new CancellationTokenSource();
        if (grace <= TimeSpan.Zero)
        {
            await cut.CancelAsync().ConfigureAwait(false);
        }
        else
        {
            Health.StopAll();
            _router!.Stop();
            listener.Drain();
            cut.CancelAfter(grace);
        }

        var links = _links?.WhenEndedAsync(cut.Token) ?? Task.CompletedTask;
        var ended = listener.WhenEndedAsync();
        await Task.WhenAny(ended, Task.Delay(Timeout.Infinite, cut.Token)).ConfigureAwait(false);
        if (!ended.IsCompleted)
        {
            listener.Abort();
            await Task.WhenAny(ended, Task.Delay(EndpointLimits.HandlersCutTimeout, CancellationToken.None))
                .ConfigureAwait(false);
        }

        await links.ConfigureAwait(false);
        _router!.Stop();
        listener.Dispose();
    }

    private void AddOwnServices()
    {
        _methods.WaitForRoles = false;
        AddOwn(
            Grpc.Health.V1.Health.BindService(new HealthService(Health)),
            static () => Grpc.Health.V1.Health.Descriptor);
        var index = new Lazy<DescriptorIndex>(MakeIndex);
        AddOwn(
            Grpc.Reflection.V1.ServerReflection.BindService(new ReflectionService(index)),
            static () => Grpc.Reflection.V1.ServerReflection.Descriptor);
        AddOwn(
            Grpc.Reflection.V1Alpha.ServerReflection.BindService(new ReflectionAlphaService(index)),
            static () => Grpc.Reflection.V1Alpha.ServerReflection.Descriptor);
    }

    private void AddOwn(ServerServiceDefinition service, Func<ServiceDescriptor> descriptor)
    {
        service.BindService(_methods);
        _descriptors.Add(descriptor);
        Health.Set(_methods.LastService, serving: true);
    }

    private DescriptorIndex MakeIndex() => new(_descriptors.ConvertAll(static descriptor => descriptor()));

    private void Listen(Socket socket, EndPoint endPoint)
    {
        if (endPoint is UnixDomainSocketEndPoint)
        {
            _listener!.Listen(socket, tls: null);
            _addresses.Insert(0, "unix:" + _options.SocketPath);
            return;
        }

        var tls = _options.Tls ?? (_options.Certificate is { } certificate ? TlsFront.Of(certificate) : null);
        _listener!.Listen(socket, tls);
        _addresses.Add((tls is null ? "http://" : "https://") + endPoint);
    }
}
