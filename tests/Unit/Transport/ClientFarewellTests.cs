// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Muster.Transport.Http2;
using Xunit;

namespace Muster.Unit.Transport;

/// <summary>What a client says when it gives a connection up.</summary>
public sealed class ClientFarewellTests
{
    [Fact]
    public async Task Violation_BeforeTheWriterHeardOfItsWrite_IsStillToldToTheServer()
    {
        // Settings, and a ping on a stream.
        byte[] input = [0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        var io = new HeldStream(new MemoryStream(input));
        var owner = new ClosingOwner();
        var connection = new Http2Connection(io, owner, new ConnectionOptions());
        var start = connection.StartAsync(CancellationToken.None);
        Assert.Contains("protocol error", await owner.Closed.Soon(), StringComparison.Ordinal);
        io.Release();
        await io.Closed.Soon();
        await Task.WhenAny(start).Soon();
        byte[] goAway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        Assert.Equal(goAway, io.Written[^goAway.Length..]);
    }

    private sealed class ClosingOwner : IConnectionOwner
    {
        private readonly TaskCompletionSource<string> _closed =
            new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> Closed => _closed.Task;

        public void OnRoom(Http2Connection connection)
        {
            // No call waits for room here.
        }

        public void OnDraining(Http2Connection connection)
        {
            // Nor for another connection.
        }

        public void OnClosed(Http2Connection connection, string reason) => _closed.SetResult(reason);
    }
}
