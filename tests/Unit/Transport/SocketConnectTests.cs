// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport;
using Muster.Transport.Sockets;
using Xunit;

namespace Muster.Unit.Transport;

/// <summary>Connecting without the runtime's poller, and how many threads a client's connections take.</summary>
public sealed class SocketConnectTests : IDisposable
{
    private readonly SocketThreads _threads = new("test-net");

    public void Dispose() => _threads.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_ToALoopbackServer_Carries(bool isByName)
    {
        using var listener = Listen(backlog: 1);
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        EndPoint place = isByName ? new DnsEndPoint("localhost", port) : new IPEndPoint(IPAddress.Loopback, port);
        using var stream = await SocketStream.ConnectAsync(place, _threads.Take(), CancellationToken.None).Soon();
        using var far = listener.Accept();
        await stream.WriteAsync(new byte[] { 5 });
        var got = new byte[1];
        Assert.Equal(1, far.Receive(got));
        far.Send(got);
        Assert.Equal(1, await stream.ReadAsync(new byte[4]).AsTask().Soon());
    }

    [Fact]
    public async Task Connect_NobodyListens_IsRefused()
    {
        var thread = _threads.Take();
        int port;
        using (var listener = Listen(backlog: 1))
        {
            port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        }

        var failure = await Assert.ThrowsAsync<SocketException>(
            () => SocketStream.ConnectAsync(
                new IPEndPoint(IPAddress.Loopback, port), thread, CancellationToken.None).Soon());
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
        Assert.Equal(0, thread.Count);
    }

    [Fact]
    public async Task Connect_NoSuchSocketFile_SaysSo()
    {
        var missing = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        var failure = await Assert.ThrowsAsync<SocketException>(
            () => SocketStream.ConnectAsync(
                new UnixDomainSocketEndPoint(missing), _threads.Take(), CancellationToken.None).Soon());
        Assert.Equal(SocketError.AddressNotAvailable, failure.SocketErrorCode);
    }

    [Fact]
    public async Task Connect_ThatHangs_EndsWhenCancelled()
    {
        using var listener = Listen(backlog: 0);
        var place = listener.LocalEndPoint!;
        var thread = _threads.Take();
        var waiting = new List<IDisposable>();
        using var cancel = new CancellationTokenSource();
        try
        {
            // Nobody accepts: once the queue is full, the kernel drops who comes, and a connect waits.
            var connect = SocketStream.ConnectAsync(place, thread, cancel.Token);
            while (await Task.WhenAny(connect, Task.Delay(100)) == connect)
            {
                Assert.True(waiting.Count < 64);
                waiting.Add(await connect);
                connect = SocketStream.ConnectAsync(place, thread, cancel.Token);
            }

            await cancel.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(connect.Soon);
        }
        finally
        {
            waiting.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Channels_Hundreds_TakeFewThreads()
    {
        using var server = new FakeServer();
        var channels = new List<GrpcChannel>();
        var connections = new List<FakeConnection>();
        try
        {
            for (var n = 0; n < 200; n++)
            {
                channels.Add(server.Connect());
                connections.Add(await channels[^1].ConnectWith(server));
            }

            var names = Directory.GetDirectories("/proc/self/task")
                .Select(task => File.ReadAllText(Path.Combine(task, "comm")))
                .Where(name => name.StartsWith("muster-net", StringComparison.Ordinal));
            Assert.InRange(names.Count(), 1, Math.Min(Environment.ProcessorCount, SocketThreads.ThreadsMax));
            var call = channels[^1].Unary([1]);
            Assert.Equal(1, (await connections[^1].ReadAsync()).StreamId);
            call.Dispose();
        }
        finally
        {
            foreach (var channel in channels)
            {
                await channel.DisposeAsync();
            }

            connections.ForEach(connection => connection.Dispose());
        }
    }

    private static Socket Listen(int backlog)
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }
}
