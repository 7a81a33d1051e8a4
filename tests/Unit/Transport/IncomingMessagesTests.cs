// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using FsCheck;
using FsCheck.Fluent;
using Grpc.Core;
using Muster.Transport.Calls;
using Xunit;

namespace Muster.Unit.Transport;

public class IncomingMessagesTests
{
    private const int BytesMax = 1000;

    [Fact]
    public void TryTake_AnyCutting_GivesTheSameMessages() => Prop.ForAll<byte[][], int>((messages, seed) =>
    {
        messages = [.. messages.Select(m => m ?? [])];
        var stream = messages.SelectMany(m => FakeConnection.Message(m)).ToArray();
        var random = new Random(seed);
        var incoming = new IncomingMessages();
        var found = new List<byte[]>();
        for (var position = 0; position < stream.Length;)
        {
            var count = Math.Min(random.Next(0, 12), stream.Length - position);
            var piece = new ArraySegment<byte>(stream, position, count);
            position += count;
            while (incoming.TryTake(ref piece, BytesMax, null, out var message, out _))
            {
                found.Add([.. message]);
                incoming.Release();
            }
        }

        return incoming.IsBetweenMessages && found.Count == messages.Length
            && found.Zip(messages).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second));
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("00FFFFFFFF", null, (int)StatusCode.ResourceExhausted)]
    [InlineData("00000003E9", null, (int)StatusCode.ResourceExhausted)]
    [InlineData("0100000001", null, (int)StatusCode.Internal)]
    [InlineData("0100000001", "gzip", (int)StatusCode.Internal)]
    [InlineData("0200000001", null, (int)StatusCode.Internal)]
    public void TryTake_BadPrefix_IsRefusedBeforeAnyBody(string prefix, string? encoding, int code)
    {
        var incoming = new IncomingMessages();
        var piece = new ArraySegment<byte>(Convert.FromHexString(prefix));
        Assert.False(incoming.TryTake(ref piece, BytesMax, encoding, out _, out var error));
        Assert.Equal((StatusCode)code, error.StatusCode);
    }

    [Fact]
    public void TryTake_LargestMessage_IsTaken()
    {
        var incoming = new IncomingMessages();
        var piece = new ArraySegment<byte>(FakeConnection.Message(new byte[BytesMax]));
        Assert.True(incoming.TryTake(ref piece, BytesMax, null, out var message, out _));
        Assert.Equal(BytesMax, message.Count);
    }
}
