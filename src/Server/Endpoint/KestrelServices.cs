// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Muster.Server.Endpoint;

/// <summary>
/// The services that Kestrel asks its options for. Without TLS that is a logger factory. Its TLS needs an internal one
/// too, which only a web host registers: then a host is built for its services alone, and never started. Owner: the
/// endpoint.
/// </summary>
internal sealed class KestrelServices : IServiceProvider, IDisposable
{
    private readonly ILoggerFactory _logs;
    private readonly IHost? _host;

    public KestrelServices(ILoggerFactory logs, bool tls)
    {
        _logs = logs;
        if (tls)
        {
            _host = new HostBuilder()
                .ConfigureWebHost(static web => web.UseKestrelCore().Configure(static _ => { }))
                .ConfigureServices(services => services.AddSingleton(logs))
                .Build();
        }
    }

    public object? GetService(Type serviceType) => _host is not null
        ? _host.Services.GetService(serviceType)
        : serviceType == typeof(ILoggerFactory) ? _logs : null;

    public void Dispose() => _host?.Dispose();
}
