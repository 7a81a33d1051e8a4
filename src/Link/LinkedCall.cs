// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Link;

/// <summary>
/// The client's side of a call over a link, with the manners of a gRPC call. One reader and one writer.
/// </summary>
internal sealed class LinkedCall(LinkEnd end) : IMessageReader<RawMessage>, IClientStreamWriter<RawMessage>
{
    private const int Free = 0;
    private const int Writing = 1;
    private const int Completed = 2;

    private static readonly Task<Metadata> s_headers = Task.FromResult(Metadata.Empty);

    private int _writer;
    private RawMessage? _current;
    private Status? _status;
    private Metadata _trailers = Metadata.Empty;

    public RawMessage Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public WriteOptions? WriteOptions { get; set; }

    /// <summary>The call as callers know it.</summary>
    public AsyncDuplexStreamingCall<RawMessage, RawMessage> Open() => new(
        this, this, s_headers, () => _status ?? throw NotEnded(), () => _status is null ? throw NotEnded() : _trailers,
        end.Dispose);

    public bool TryRead([MaybeNullWhen(false)] out RawMessage message)
    {
        // An end is left for the read that waits: it tells how.
        message = _status is null ? Take(end.TryRead()) : null;
        return message is not null;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> ReadAsync()
    {
        if (_status is null)
        {
            _current = Take(await end.ReadAsync().ConfigureAwait(false));
        }

        return _status switch
        {
            null => true,
            { StatusCode: StatusCode.OK } => false,
            var status => throw new RpcException(status.Value, _trailers),
        };
    }

    public async Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(static state => ((LinkEnd)state!).Interrupt(), end))
        {
            return await ReadAsync().ConfigureAwait(false);
        }
    }

    public async Task WriteAsync(RawMessage message)
    {
        bool isOut;
        using (message)
        {
            TakeWriter(Writing);
            isOut = await end.WriteAsync(message).ConfigureAwait(false);
            Volatile.Write(ref _writer, Free);
        }

        if (!isOut)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, "The server is gone."));
        }
    }

    public async Task CompleteAsync()
    {
        TakeWriter(Completed);
        await end.WriteAsync(LinkTrailers.HalfClose()).ConfigureAwait(false);
    }

    // Who closes a stream may do so beside its sender: as over gRPC, the second is refused and nothing is mixed.
    private void TakeWriter(int use)
    {
        var found = Interlocked.CompareExchange(ref _writer, use, Free);
        if (found != Free)
        {
            throw new InvalidOperationException(found == Completed
                ? "The call was completed; nothing can be written to it."
                : "Another write of this call is still waiting.");
        }
    }

    private RawMessage? Take(LinkRead found)
    {
        var message = end.TakeFound();
        switch (found)
        {
            case LinkRead.None or LinkRead.Message:
                return message;
            case LinkRead.End:
                _status = LinkTrailers.Decode(message!.Span, out _trailers);
                message.Dispose();
                return null;
            case LinkRead.Interrupted:
                _status = Status.DefaultCancelled;
                end.Dispose();
                return null;
            default:
                _status = new Status(StatusCode.Unavailable, "The server is gone.");
                return null;
        }
    }

    private static InvalidOperationException NotEnded() => new("The call has not ended.");
}
