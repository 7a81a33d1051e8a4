// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO.Pipelines;
using System.Threading.Tasks;
using Microsoft.AspNetCore.Connections;
using Muster.Server.Endpoint;
using Xunit;

namespace Muster.Unit.Endpoint;

/// <summary>What is known of how a connection ended.</summary>
public sealed class ConnectionEndTests
{
    private readonly ConnectionEnd _end = new();
    private readonly Pipe _bytes = new();
    private readonly WatchedTransport _transport;

    public ConnectionEndTests() => _transport = new(new Both(_bytes), _end);

    [Fact]
    public async Task Bytes_ArePassedOnAndEndNothing()
    {
        await _bytes.Writer.WriteAsync(new byte[] { 1, 2, 3 });
        var read = await _transport.Input.ReadAsync();
        Assert.Equal(3, read.Buffer.Length);
        _transport.Input.AdvanceTo(read.Buffer.End);
        Assert.False(_transport.Input.TryRead(out _));
        Assert.False(_end.IsByPeer);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Peer_Closes_IsByPeer(bool isWaitedFor)
    {
        var read = isWaitedFor ? _transport.Input.ReadAsync().AsTask() : null;
        await _bytes.Writer.CompleteAsync();
        Assert.True((await (read ?? _transport.Input.ReadAsync().AsTask())).IsCompleted);
        Assert.True(_end.IsByPeer);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Peer_Resets_IsByPeer(bool isWaitedFor)
    {
        var read = isWaitedFor ? _transport.Input.ReadAsync().AsTask() : null;
        await _bytes.Writer.CompleteAsync(new ConnectionResetException("reset"));
        await Assert.ThrowsAsync<ConnectionResetException>(
            () => read ?? _transport.Input.ReadAsync().AsTask());
        Assert.True(_end.IsByPeer);
    }

    [Fact]
    public async Task Server_Aborts_IsNotByPeer()
    {
        var read = _transport.Input.ReadAsync().AsTask();
        await _bytes.Writer.CompleteAsync(new ConnectionAbortedException("a limit"));
        await Assert.ThrowsAsync<ConnectionAbortedException>(() => read);
        Assert.False(_end.IsByPeer);
    }

    private sealed class Both(Pipe pipe) : IDuplexPipe
    {
        public PipeReader Input => pipe.Reader;

        public PipeWriter Output => pipe.Writer;
    }
}
