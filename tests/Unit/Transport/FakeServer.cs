// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using System.Net.Sockets;
using System.Threading.Tasks;
using Muster.Transport;

namespace Muster.Unit.Transport;

/// <summary>A server that speaks HTTP/2 frame by frame as a test tells it.</summary>
internal sealed class FakeServer : IDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public FakeServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    /// <summary>Longest that a test waits for anything.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}";

    public GrpcChannel Connect(GrpcChannelOptions? options = null) => GrpcChannel.ForAddress(Address, options);

    /// <summary>The next connection, with nothing exchanged yet.</summary>
    public async Task<FakeConnection> AcceptRawAsync() => new(await AcceptStreamAsync());

    /// <summary>The next connection's bare bytes.</summary>
    public async Task<NetworkStream> AcceptStreamAsync() =>
        new(await _listener.AcceptAsync().WaitAsync(Patience), ownsSocket: true);

    /// <summary>The next connection, after the exchange of settings.</summary>
    public async Task<FakeConnection> AcceptAsync(params (int Id, uint Value)[] settings)
    {
        var connection = await AcceptRawAsync();
        await connection.GreetAsync(settings);
        return connection;
    }

    public void Dispose() => _listener.Dispose();
}
