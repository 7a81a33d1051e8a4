// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Link;
using Muster.Unit.Endpoint;
using Xunit;

namespace Muster.Unit.Link;

/// <summary>Waits for a server that is away.</summary>
public sealed class ServerReturnTests : IDisposable
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("muster-return-");
    private readonly ServerReturn _return = new(TimeProvider.System);

    private string SocketPath => Path.Combine(_folder.FullName, "e.sock");

    private string Address => "unix:" + SocketPath;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Wait_SocketAppears_Ends()
    {
        _return.Trying(Address);
        var wait = _return.WaitAsync(s_long, default);
        Assert.False(wait.IsCompleted);
        using var server = Listen();
        await wait.WaitAsync(s_timeout);
    }

    [Fact]
    public async Task Wait_SocketIsMadeAnew_Ends()
    {
        var first = Listen();
        _return.Trying(Address);
        _return.Reached();
        first.Dispose();
        var wait = _return.WaitAsync(s_long, default);
        File.Delete(SocketPath);
        using var second = Listen();
        await wait.WaitAsync(s_timeout);
    }

    [Fact]
    public async Task Wait_SocketThatWasTriedStays_LastsAsLongAsAsked()
    {
        using var server = Listen();
        _return.Trying(Address);
        var start = TimeProvider.System.GetTimestamp();
        await _return.WaitAsync(TimeSpan.FromMilliseconds(40), default).WaitAsync(s_timeout);
        Assert.True(TimeProvider.System.GetElapsedTime(start) >= TimeSpan.FromMilliseconds(40));
    }

    [Fact]
    public async Task Wait_SocketNotOfThisHost_IsPlainAndEndsByItsToken()
    {
        using var stop = new CancellationTokenSource();
        _return.Trying("http://127.0.0.1:9");
        var wait = _return.WaitAsync(s_long, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => wait.WaitAsync(s_timeout));
    }

    [Fact]
    public async Task Dial_NobodyListens_SaysSoAtOnce()
    {
        Assert.True(await LinkDialer.IsAbsentAsync(Address));
        var missing = await Assert.ThrowsAsync<RpcException>(() => DialAsync().WaitAsync(s_timeout));
        Assert.Equal(StatusCode.Unavailable, missing.StatusCode);
        Assert.Contains("there is no such socket", missing.Status.Detail, StringComparison.Ordinal);

        // What a killed server leaves.
        using (var bound = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            bound.Bind(new UnixDomainSocketEndPoint(SocketPath));
            var refused = await Assert.ThrowsAsync<RpcException>(() => DialAsync().WaitAsync(s_timeout));
            Assert.Equal(StatusCode.Unavailable, refused.StatusCode);
            Assert.True(await LinkDialer.IsAbsentAsync(Address));
        }

        Assert.False(await LinkDialer.IsAbsentAsync("http://127.0.0.1:9"));
    }

    [Fact]
    public async Task Dial_AServerWithoutLinks_IsLeftToGrpc()
    {
        using var server = Listen();
        Assert.False(await LinkDialer.IsAbsentAsync(Address));
        Assert.False(await DialAsync().WaitAsync(s_timeout));
    }

    private async Task<bool> DialAsync()
    {
        using var call = await LinkDialer.TryOpenAsync(Address, RawService.Duplex);
        return call is not null;
    }

    private Socket Listen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(SocketPath));
        socket.Listen(8);
        return socket;
    }
}
