// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Muster.Server.Endpoint;
using Muster.Server.Http2;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Wire;

/// <summary>The server process: echoes the messages of one stream, one of the ways, until it is killed.</summary>
internal static class EchoServer
{
    public static readonly Method<RawMessage, RawMessage> Echo = new(
        MethodType.DuplexStreaming, "muster.wire.Echo", "Talk", RawMethods.RawMarshaller, RawMethods.RawMarshaller);

    private static readonly ServerServiceDefinition s_service =
        ServerServiceDefinition.CreateBuilder().AddMethod(Echo, EchoAsync).Build();

    public static async Task RunAsync(string way, string path)
    {
        switch (way)
        {
            case "kestrel":
                await ServeByKestrelAsync(path, isInline: false);
                break;
            case "kestrel-tuned":
                await ServeByKestrelAsync(path, isInline: true);
                break;
            case "connections":
                await ServeByConnectionsAsync(path);
                break;
            default:
                await new GrpcEndpoint(new EndpointOptions { SocketPath = path }).Add(s_service).StartAsync();
                break;
        }

        await Task.Delay(Timeout.Infinite);
    }

    private static SocketTransportFactory Transport(bool isInline) => new(
        Options.Create(new SocketTransportOptions { UnsafePreferInlineScheduling = isInline }),
        NullLoggerFactory.Instance);

    private static async Task ServeByKestrelAsync(string path, bool isInline)
    {
        var options = new KestrelServerOptions { ApplicationServices = new NoServices() };
        options.Limits.MaxRequestBodySize = null;
        options.Limits.MinRequestBodyDataRate = null;
        options.Limits.MinResponseDataRate = null;
        options.Limits.Http2.InitialConnectionWindowSize = 8 << 20;
        options.Limits.Http2.InitialStreamWindowSize = 4 << 20;
        options.ListenUnixSocket(path, listen => listen.Protocols = HttpProtocols.Http2);
        var server = new KestrelServer(Options.Create(options), Transport(isInline), NullLoggerFactory.Instance);
        await server.StartAsync(new KestrelEcho(), CancellationToken.None);
    }

    private static async Task ServeByConnectionsAsync(string path)
    {
        var methods = new MethodTable();
        s_service.BindService(methods);
        var gate = new CallGate(isOpen: true, TimeProvider.System);
        var router = new CallRouter(new EndpointOptions(), methods.Freeze(), gate);
        var listener = await Transport(isInline: true).BindAsync(new UnixDomainSocketEndPoint(path));
        _ = Task.Run(async () =>
        {
            while (await listener.AcceptAsync() is { } accepted)
            {
                var connection = new ServerConnection(
                    new PipeStream(accepted.Transport), null, router, new ServerOptions());
                _ = Task.Run(connection.ServeAsync);
            }
        });
    }

    // As the hot streams do it: messages are read where they arrive, answers go through an outbox.
    private static async Task EchoAsync(
        IAsyncStreamReader<RawMessage> requests, IServerStreamWriter<RawMessage> responses, ServerCallContext context)
    {
        using var room = new SemaphoreSlim(0);
        var outbox = StreamOutbox.Open(context, 1 << 20, () => room.Release());
        while (await requests.MoveNext(CancellationToken.None))
        {
            using var message = requests.Current;
            while (outbox.TryAppend(message.Span) == AppendOutcome.Full)
            {
                await room.WaitAsync(context.CancellationToken);
            }

            outbox.Flush();
        }
    }

    private sealed class NoServices : IServiceProvider
    {
        public object? GetService(Type serviceType) =>
            serviceType == typeof(Microsoft.Extensions.Logging.ILoggerFactory) ? NullLoggerFactory.Instance : null;
    }
}
