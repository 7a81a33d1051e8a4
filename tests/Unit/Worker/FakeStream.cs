// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Channels;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Core;
using Muster.Transport.Wire;
using Muster.Worker.Links;

namespace Muster.Unit.Worker;

/// <summary>A stream of the worker whose other end is the test. Messages are bytes, as on the wire.</summary>
internal sealed class FakeStream : IMessageStream
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    private readonly Channel<byte[]> _fromWorker = Channel.CreateUnbounded<byte[]>();
    private readonly Channel<byte[]> _toWorker = Channel.CreateUnbounded<byte[]>();
    private readonly TaskCompletionSource _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _aborted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The worker has said that it will write nothing more.</summary>
    public Task Completed => _completed.Task.WaitAsync(s_patience);

    /// <summary>The worker has dropped the stream.</summary>
    public Task Aborted => _aborted.Task.WaitAsync(s_patience);

    /// <summary>The next message of the worker.</summary>
    public async Task<T> TakeAsync<T>(MessageParser<T> parser)
        where T : IMessage<T> =>
        parser.ParseFrom(await _fromWorker.Reader.ReadAsync().AsTask().WaitAsync(s_patience));

    /// <summary>The next message that satisfies a condition; others are passed over.</summary>
    public async Task<T> TakeAsync<T>(MessageParser<T> parser, Func<T, bool> condition)
        where T : IMessage<T>
    {
        while (true)
        {
            var message = await TakeAsync(parser);
            if (condition(message))
            {
                return message;
            }
        }
    }

    public void Give(IMessage message) => Assert(_toWorker.Writer.TryWrite(message.ToByteArray()));

    public void GiveBytes(byte[] bytes) => Assert(_toWorker.Writer.TryWrite(bytes));

    /// <summary>The server ends the stream well.</summary>
    public void End() => _toWorker.Writer.TryComplete();

    /// <summary>The server or the network ends it badly.</summary>
    public void Break(FaultCode code = FaultCode.Unavailable)
    {
        var reason = new LinkException(code, "broken by the test");
        _toWorker.Writer.TryComplete(reason);
        _fromWorker.Writer.TryComplete();
    }

    public ValueTask WriteAsync(RawMessage message)
    {
        using (message)
        {
            return _fromWorker.Writer.TryWrite(message.Span.ToArray())
                ? ValueTask.CompletedTask
                : throw new LinkException(FaultCode.Unavailable, "the stream is broken");
        }
    }

    public async ValueTask<RawMessage?> ReadAsync()
    {
        try
        {
            return RawMessage.Copy(await _toWorker.Reader.ReadAsync());
        }
        catch (ChannelClosedException exception) when (exception.InnerException is LinkException reason)
        {
            throw new LinkException(reason.Code, reason.Message);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public ValueTask CompleteAsync()
    {
        _completed.TrySetResult();
        return ValueTask.CompletedTask;
    }

    public void Abort()
    {
        _aborted.TrySetResult();
        Break();
    }

    public ValueTask DisposeAsync()
    {
        Abort();
        return ValueTask.CompletedTask;
    }

    private static void Assert(bool condition) => Xunit.Assert.True(condition, "the stream is closed");
}
