// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena.Links;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Link;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// Accepts links from processes of the same host and user, on a Unix socket beside that of gRPC. Each link is one call
/// of one streaming method whose messages are bytes. A link costs a thread and half a MiB, so their number is limited;
/// who finds no room uses gRPC, which has all the same methods.
/// Owner: the endpoint.
/// </summary>
internal sealed class LinkListener : IDisposable
{
    private readonly GrpcApplication _application;
    private readonly FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> _methods;
    private readonly Socket _socket;
    private readonly SocketFile _file;
    private int _links;

    private LinkListener(
        GrpcApplication application,
        FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> methods,
        Socket socket,
        SocketFile file)
    {
        _application = application;
        _methods = methods;
        _socket = socket;
        _file = file;
        _ = AcceptAsync();
    }

    /// <summary>Listens beside the socket of gRPC; null when its path leaves no room for another.</summary>
    public static Fault Start(
        GrpcApplication application,
        FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> methods,
        string socketPath,
        out LinkListener? listener)
    {
        listener = null;
        var fault = SocketFile.Bind(LinkGreeting.PathOf(socketPath), out var file, out var socket);
        if (fault.IsNone)
        {
            listener = new LinkListener(application, methods, socket!, file!);
        }

        return fault.Code == FaultCode.SocketPathTooLong ? Fault.None : fault;
    }

    public void Dispose()
    {
        _socket.Dispose();
        _file.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                if (_socket.SafeHandle.IsClosed)
                {
                    return;
                }

                // No descriptor was left for this one; the next may find one again.
                await Task.Delay(EndpointLimits.AcceptPause).ConfigureAwait(false);
                continue;
            }

            _ = GreetAsync(socket);
        }
    }

    private async Task GreetAsync(Socket socket)
    {
        try
        {
            using var timeout = new CancellationTokenSource(EndpointLimits.LinkGreetingTimeout);
            var request = new byte[LinkGreeting.RequestBytesMax];
            var received = await socket.ReceiveAsync(request, timeout.Token).ConfigureAwait(false);
            if (!SocketMessage.IsPeerOwn(socket)
                || !LinkGreeting.TryReadRequest(request.AsSpan(0, received), out var method)
                || Begin(socket, method) is not { } serving)
            {
                socket.Dispose();
                return;
            }

            await serving.ConfigureAwait(false);
            Interlocked.Decrement(ref _links);
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            // Who connected has gone again, or says nothing.
            socket.Dispose();
        }
    }

    private Task? Begin(Socket socket, string method)
    {
        if (!_methods.TryGetValue(method, out var handler))
        {
            SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.NoMethod), null);
            return null;
        }

        if (Interlocked.Increment(ref _links) <= EndpointLimits.LinksMax
            && LinkPages.TryCreate(out var file) is { } pages)
        {
            using (file)
            {
                if (SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.Accepted), file))
                {
                    return new LinkCall(method, LinkEnd.Start(pages, socket), _application).RunAsync(handler);
                }
            }

            pages.Dispose();
        }
        else
        {
            SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.NoRoom), null);
        }

        Interlocked.Decrement(ref _links);
        return null;
    }
}
