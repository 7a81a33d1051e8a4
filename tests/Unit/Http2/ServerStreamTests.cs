// SPDX-License-Identifier: Apache-2.0
using System.IO;
using System.Threading.Tasks;
using Muster.Server.Http2;
using Xunit;

namespace Muster.Unit.Http2;

public sealed class ServerStreamTests
{
    [Fact]
    public async Task Stream_ThatIsGoneWithUnreadMessages_HasNoEndInPeace()
    {
        var connection = new ServerConnection(Stream.Null, null, null!, new());
        var stream = new ServerStream(connection, 1, 65_535, -1, 0);
        Assert.True(stream.OnData(FrameBytes.Message(10), 0, isEnd: true));
        stream.CloseIncoming(isPeerGone: true);

        // The message was dropped: a handler that heard of the end now would take a part for the whole.
        Assert.False(stream.TryTake(out _, out _));
        Assert.False(stream.IsAtEnd());
        Assert.False(await stream.WaitAsync());
    }
}
