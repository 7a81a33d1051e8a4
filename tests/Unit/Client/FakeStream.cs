// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Channels;
using System.Threading.Tasks;
using Google.Protobuf;
using Muster.Client.Sessions;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Unit.Client;

/// <summary>A Session stream whose server is the test.</summary>
internal sealed class FakeStream : ISessionStream
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(20);

    private readonly Channel<SessionRequest> _requests = Channel.CreateUnbounded<SessionRequest>();
    private readonly Channel<RawMessage> _responses = Channel.CreateUnbounded<RawMessage>();
    private volatile TaskCompletionSource? _held;

    public bool IsCompleted { get; private set; }

    /// <summary>What follows the client's last word; null: the server ends the stream too.</summary>
    public Action? Completed { get; set; }

    /// <summary>The next request of the client.</summary>
    public async Task<SessionRequest> NextAsync() => await _requests.Reader.ReadAsync().AsTask().WaitAsync(s_deadline);

    /// <summary>The next one that submits; what only confirms is passed over.</summary>
    public async Task<SessionRequest> NextSubmitAsync()
    {
        while (true)
        {
            var request = await NextAsync();
            if (request.Submit is not null)
            {
                return request;
            }
        }
    }

    public void Send(SessionResponse response) => _responses.Writer.TryWrite(RawMessage.Copy(response.ToByteArray()));

    public void SendBytes(ReadOnlySpan<byte> bytes) => _responses.Writer.TryWrite(RawMessage.Copy(bytes));

    /// <summary>Ends the stream with a failure; null: as a server that closes it.</summary>
    public void End(MusterException? failure = null) => _responses.Writer.TryComplete(failure);

    /// <summary>Makes the wire busy: writes after the next one wait.</summary>
    public void HoldWrites() => _held = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ReleaseWrites()
    {
        var held = _held;
        _held = null;
        held?.TrySetResult();
    }

    public async Task WriteAsync(RawMessage message)
    {
        var held = _held;
        SessionRequest request;
        using (message)
        {
            request = SessionRequest.Parser.ParseFrom(message.Span);
        }

        await _requests.Writer.WriteAsync(request);
        if (held is not null)
        {
            await held.Task;
        }
    }

    public async Task<RawMessage?> ReadAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _responses.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException end)
        {
            return end.InnerException is MusterException failure ? throw failure : null;
        }
    }

    public Task CompleteAsync()
    {
        IsCompleted = true;
        (Completed ?? (() => End()))();
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _responses.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }
}
