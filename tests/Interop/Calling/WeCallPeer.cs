// SPDX-License-Identifier: Apache-2.0
using System;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Interop.V1;
using Xunit;

namespace Muster.Interop.Calling;

/// <summary>Every case of our client against a server that others wrote; each peer runs them all.</summary>
public abstract partial class WeCallPeer(CalledPeer called)
{
    private const int MessageBytesMax = 4 * 1024 * 1024;

    // Tag and length of a bytes field of about 4 MiB.
    private const int BodyOverhead = 5;

    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(45);

    private InteropService.InteropServiceClient Client => new(called.Channel.CreateCallInvoker());

    public static TheoryData<int> EveryCode() => [.. Enumerable.Range(0, 17)];

    [Fact]
    public async Task Unary_Message_ComesBack()
    {
        var answer = await Client.EchoAsync(new Ask { Body = ByteString.CopyFromUtf8("hello") }, Soon());
        Assert.Equal("hello", answer.Body.ToStringUtf8());
    }

    [Fact]
    public void BlockingUnary_Message_ComesBack()
    {
        var answer = Client.Echo(new Ask { Body = ByteString.CopyFromUtf8("hello") }, Soon());
        Assert.Equal("hello", answer.Body.ToStringUtf8());
    }

    [Fact]
    public async Task Unary_EmptyMessage_ComesBack() =>
        Assert.Equal(new Answer(), await Client.EchoAsync(new Ask(), Soon()));

    [Fact]
    public async Task ServerStream_Answers_ArriveInOrder()
    {
        using var call = Client.Pour(new Ask { Count = 50, AnswerBytes = 10 }, Soon());
        Assert.Equal(50, await CountAsync(call.ResponseStream));
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task ServerStream_WithoutAnswers_EndsWell()
    {
        using var call = Client.Pour(new Ask(), Soon());
        Assert.Equal(0, await CountAsync(call.ResponseStream));
    }

    [Fact]
    public async Task ServerStream_SlowAnswers_ArriveOneByOne()
    {
        using var call = Client.Pour(new Ask { Count = 5, DelayMs = 20 }, Soon());
        Assert.Equal(5, await CountAsync(call.ResponseStream));
    }

    [Fact]
    public async Task ClientStream_Messages_AreAllSeen()
    {
        using var call = Client.Collect(Soon());
        var ask = new Ask { Body = Zeroes(1000) };
        for (var number = 0; number < 40; number++)
        {
            await call.RequestStream.WriteAsync(ask);
        }

        await call.RequestStream.CompleteAsync();
        var answer = await call;
        Assert.Equal(40u, answer.Count);
        Assert.Equal(40_000u, answer.Bytes);
    }

    [Fact]
    public async Task ClientStream_WithoutMessages_IsAnswered()
    {
        using var call = Client.Collect(Soon());
        await call.RequestStream.CompleteAsync();
        Assert.Equal(0u, (await call).Count);
    }

    [Fact]
    public async Task ClientStream_ServerEndsEarly_StatusArrives()
    {
        using var call = Client.Collect(Soon());
        await call.RequestStream.WriteAsync(new Ask { Status = 9, Message = "enough" });
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(StatusCode.FailedPrecondition, failure.StatusCode);
        Assert.Equal("enough", failure.Status.Detail);
    }

    [Fact]
    public async Task Duplex_PingPong_AnswersEachBeforeTheNext()
    {
        using var call = Client.Converse(Soon());
        for (var number = 0u; number < 100; number++)
        {
            await call.RequestStream.WriteAsync(new Ask { Body = Zeroes(8) });
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(number, call.ResponseStream.Current.Count);
        }

        await call.RequestStream.CompleteAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task Duplex_HalfClose_LastAnswerComesAfter()
    {
        using var call = Client.Converse(Soon());
        for (var number = 0; number < 10; number++)
        {
            await call.RequestStream.WriteAsync(new Ask());
        }

        await call.RequestStream.CompleteAsync();
        var last = new Answer();
        while (await call.ResponseStream.MoveNext(CancellationToken.None))
        {
            last = call.ResponseStream.Current;
        }

        Assert.Equal(new Answer { Count = 10, Bytes = 11 }, last);
        Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
    }

    [Fact]
    public async Task Duplex_ServerEndsEarly_StatusArrives()
    {
        using var call = Client.Converse(Soon());
        await call.RequestStream.WriteAsync(new Ask { Status = 10, Message = "taken over" });
        var failure = await Assert.ThrowsAsync<RpcException>(() => CountAsync(call.ResponseStream));
        Assert.Equal(StatusCode.Aborted, failure.StatusCode);
    }

    [Theory]
    [MemberData(nameof(EveryCode))]
    public async Task Status_OfServer_ReachesUs(int code)
    {
        var call = Client.EchoAsync(new Ask { Status = (uint)code, Message = $"code {code}" }, Soon());
        if (code == 0)
        {
            await call;
            Assert.Equal(StatusCode.OK, call.GetStatus().StatusCode);
            return;
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal((StatusCode)code, failure.StatusCode);
        Assert.Equal($"code {code}", failure.Status.Detail);
    }

    [Fact]
    public async Task Status_AfterMessages_ReachesUs()
    {
        using var call = Client.Pour(new Ask { Count = 3, Status = 15, Message = "half of it is gone" }, Soon());
        for (var number = 0u; number < 3; number++)
        {
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Equal(number, call.ResponseStream.Current.Count);
        }

        var failure = await Assert.ThrowsAsync<RpcException>(() => CountAsync(call.ResponseStream));
        Assert.Equal(StatusCode.DataLoss, failure.StatusCode);
        Assert.Equal("half of it is gone", failure.Status.Detail);
    }

    [Theory]
    [InlineData("zwölf Kühe für 5 €")]
    [InlineData("100% of %41 and %")]
    [InlineData("first line\nsecond\tline\r\n")]
    [InlineData("日本語のメッセージ")]
    public async Task Status_Message_SurvivesPercentEncoding(string message)
    {
        var call = Client.EchoAsync(new Ask { Status = 3, Message = message }, Soon());
        var failure = await Assert.ThrowsAsync<RpcException>(() => call.ResponseAsync);
        Assert.Equal(message, failure.Status.Detail);
    }

    // Every call has a deadline, so that a lost answer is a failure and not a test that hangs.
    private static CallOptions Soon(Metadata? headers = null, CancellationToken cancellationToken = default) =>
        new(headers, DateTime.UtcNow + s_timeout, cancellationToken);

    private static async Task<int> CountAsync(IAsyncStreamReader<Answer> answers)
    {
        var count = 0;
        while (await answers.MoveNext(CancellationToken.None))
        {
            Assert.Equal((ulong)count, answers.Current.Count);
            count++;
        }

        return count;
    }

    private static ByteString Zeroes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);

    private static string NewKey() => Guid.NewGuid().ToString("N");
}
