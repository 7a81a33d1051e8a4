// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Net;
using System.Net.Sockets;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// The sockets that an endpoint listens on, bound before anything is served: so that what is wrong with an address is
/// told in our words, and a Unix socket has its mode before anyone can connect. Owner: the endpoint. The listener takes
/// each socket over by <see cref="Take"/>; those it did not take are closed with this.
/// </summary>
internal sealed class ListenSockets : IDisposable
{
    private readonly Dictionary<EndPoint, Socket> _sockets = [];
    private SocketFile? _file;

    /// <summary>Where to listen, with the ports that were chosen.</summary>
    public IReadOnlyCollection<EndPoint> EndPoints => _sockets.Keys;

    /// <summary>Binds all or nothing.</summary>
    public static Fault Bind(EndpointOptions options, out ListenSockets? sockets)
    {
        var bound = new ListenSockets();
        var fault = bound.BindAll(options);
        sockets = fault.IsNone ? bound : null;
        if (!fault.IsNone)
        {
            bound.Dispose();
        }

        return fault;
    }

    /// <summary>Hands a bound socket to the transport.</summary>
    public Socket Take(EndPoint endPoint)
    {
        Invariant.That(_sockets.Remove(endPoint, out var socket));
        return socket!;
    }

    public void Dispose()
    {
        foreach (var socket in _sockets.Values)
        {
            socket.Dispose();
        }

        _sockets.Clear();
        _file?.Dispose();
        _file = null;
    }

    private Fault BindAll(EndpointOptions options)
    {
        if (options.SocketPath is null && options.Loopback.Count == 0)
        {
            return new(FaultCode.AddressInvalid, "a server needs a socket path or a loopback address to listen on");
        }

        foreach (var endPoint in options.Loopback)
        {
            var isClosed = options.Gate is { AsksStrangers: true } && options.Tls is not null;
            var fault = isClosed || IPAddress.IsLoopback(endPoint.Address) ? BindTcp(endPoint) : RefuseBind(endPoint);
            if (!fault.IsNone)
            {
                return fault;
            }
        }

        if (options.SocketPath is { } path)
        {
            var fault = SocketFile.Bind(path, out _file, out var socket);
            if (!fault.IsNone)
            {
                return fault;
            }

            _sockets.Add(new UnixDomainSocketEndPoint(path), socket!);
        }

        return Fault.None;
    }

    private static Fault RefuseBind(IPEndPoint endPoint) => new(
        FaultCode.BindRefused,
        $"{endPoint} is not a loopback address; without TLS and authentication Muster listens on 127.0.0.1, [::1] or a "
        + "Unix socket only");

    private Fault BindTcp(IPEndPoint endPoint)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(endPoint);

            // A port can be bound twice until one of the two listens; so it listens at once.
            socket.Listen(EndpointLimits.AcceptBacklogMax);
            _sockets.Add(socket.LocalEndPoint!, socket);
            return Fault.None;
        }
        catch (SocketException e)
        {
            socket.Dispose();
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse
                ? new(FaultCode.PortInUse, $"{endPoint} is in use by another program; stop it or choose another port")
                : new(FaultCode.AddressInvalid, $"cannot listen on {endPoint}: {e.Message}");
        }
    }
}
