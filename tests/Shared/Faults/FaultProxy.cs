// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Shared.Faults;

/// <summary>
/// Stands between clients and a server, over Unix sockets or TCP, and passes bytes on as badly as it is told. Thread-
/// safe. Chance comes from the seed, so a run can be had again as far as timing allows.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Socket _listener;
    private readonly EndPoint _target;
    private readonly Random _random;
    private readonly List<ProxiedLink> _links = [];
    private readonly CancellationTokenSource _stop = new();
    private readonly Action? _restore;
    private readonly Task _accepting;
    private LinkFaults _faults = LinkFaults.None;

    private FaultProxy(EndPoint listen, EndPoint target, int seed, Action? restore)
    {
        _target = target;
        _restore = restore;
        _random = new Random(seed);
        _listener = Make(listen);
        _listener.Bind(listen);
        _listener.Listen(128);
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>Where it listens.</summary>
    public EndPoint Listens => _listener.LocalEndPoint!;

    /// <summary>Connections made through it so far.</summary>
    public int Connections { get; private set; }

    /// <summary>For all links, those to come too.</summary>
    public LinkFaults Faults
    {
        get
        {
            lock (_gate)
            {
                return _faults;
            }
        }

        set
        {
            lock (_gate)
            {
                _faults = value;
                foreach (var link in _links)
                {
                    link.Faults = value;
                }
            }
        }
    }

    /// <summary>Takes the place of a Unix socket that a server listens on: the server keeps its own under another
    /// name.</summary>
    public static FaultProxy InFrontOf(string socketPath, int seed = 1)
    {
        var behind = socketPath + ".b";
        File.Move(socketPath, behind);

        // Shared memory passes by every proxy; without its socket all go by gRPC.
        File.Delete(socketPath + ".link");
        return new(
            new UnixDomainSocketEndPoint(socketPath),
            new UnixDomainSocketEndPoint(behind),
            seed,
            () => File.Move(behind, socketPath, overwrite: true));
    }

    /// <summary>On a free port of loopback, before a server on TCP.</summary>
    public static FaultProxy BeforePort(int port, int seed = 1) =>
        new(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, port), seed, null);

    /// <summary>Breaks every connection there is, in the middle of whatever passes.</summary>
    public void ResetAll()
    {
        lock (_gate)
        {
            _links.ForEach(link => link.Break());
        }
    }

    /// <summary>Other faults for the links of one process alone, known by its id; Unix sockets only.</summary>
    /// <returns>How many links that were.</returns>
    public int SetFaultsOf(int pid, LinkFaults faults)
    {
        lock (_gate)
        {
            List<ProxiedLink> links = [.. _links.Where(link => link.PeerPid == pid)];
            links.ForEach(link => link.Faults = faults);
            return links.Count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAny(_accepting);
        ResetAll();
        _restore?.Invoke();
        _stop.Dispose();
    }

    private static Socket Make(EndPoint endPoint) => endPoint is UnixDomainSocketEndPoint
        ? new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            Socket client;
            try
            {
                client = await _listener.AcceptAsync(_stop.Token);
            }
            catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }

            _ = ConnectAsync(client);
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        if (Faults.IsRefusing)
        {
            client.Dispose();
            return;
        }

        var server = Make(_target);
        try
        {
            await server.ConnectAsync(_target, _stop.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException)
        {
            client.Dispose();
            server.Dispose();
            return;
        }

        ProxiedLink link;
        lock (_gate)
        {
            Connections++;
            link = new(client, server, _random.Next()) { Faults = _faults };
            _links.Add(link);
        }

        await link.RunAsync();
        lock (_gate)
        {
            _links.Remove(link);
        }
    }
}
