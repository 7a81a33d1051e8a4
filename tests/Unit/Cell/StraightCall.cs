// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Transport.Wire;

namespace Muster.Unit.Cell;

/// <summary>
/// A call without a connection, for measuring what stands above one: requests are made on the thread that serves the
/// call, and what is answered is read where it is written. Allocates nothing but the object of each request, which it
/// counts.
/// </summary>
internal abstract class StraightCall : ServerCallContext, IAsyncStreamReader<RawMessage>, IOutboxCall
{
    private const int PrefixBytes = 5;
    private static readonly Task<bool> s_more = Task.FromResult(true);
    private static readonly Task<bool> s_end = Task.FromResult(false);

    private long _ownBytes;

    public RawMessage Current { get; private set; } = null!;

    public Caller Caller => Caller.Local;

    public ConnectionEnd? Connection => null;

    /// <summary>Bytes that the requests' own objects have taken so far.</summary>
    public long OwnBytes => Volatile.Read(ref _ownBytes);

    /// <summary>Bytes of all requests so far, with their prefixes.</summary>
    public long AskedBytes { get; private set; }

    /// <summary>Bytes of all answers so far, with their prefixes.</summary>
    public long AnsweredBytes { get; private set; }

    /// <summary>Why the server ended the call; null while it has not.</summary>
    public RpcException? Ended { get; private set; }

    protected override string MethodCore => "straight";

    protected override string HostCore => "localhost";

    protected override string PeerCore => "test";

    protected override DateTime DeadlineCore => DateTime.MaxValue;

    protected override Metadata RequestHeadersCore => Metadata.Empty;

    protected override CancellationToken CancellationTokenCore => CancellationToken.None;

    protected override Metadata ResponseTrailersCore { get; } = [];

    protected override Status StatusCore { get; set; }

    protected override WriteOptions? WriteOptionsCore { get; set; }

    protected override AuthContext AuthContextCore => new(null, []);

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        var next = Ended is null ? NextRequest() : default;
        if (next.IsEmpty)
        {
            return s_end;
        }

        AskedBytes += PrefixBytes + next.Length;
        var before = GC.GetAllocatedBytesForCurrentThread();
        Current = RawMessage.Copy(next);
        Volatile.Write(ref _ownBytes, _ownBytes + GC.GetAllocatedBytesForCurrentThread() - before);
        return s_more;
    }

    public virtual ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> framed)
    {
        AnsweredBytes += framed.Length;
        for (var rest = framed.Span; !rest.IsEmpty;)
        {
            var length = (int)BinaryPrimitives.ReadUInt32BigEndian(rest[1..]);
            Answered(rest.Slice(PrefixBytes, length));
            rest = rest[(PrefixBytes + length)..];
        }

        return default;
    }

    public void EndWith(RpcException why)
    {
        Ended ??= why;
        Wake();
    }

    public void Attach(StreamOutbox outbox)
    {
    }

    /// <summary>Waits until there is something to ask, on the thread that serves the call; empty: no more.</summary>
    protected abstract ReadOnlySpan<byte> NextRequest();

    /// <summary>One message of the server, on whichever thread sends it; one at a time.</summary>
    protected abstract void Answered(ReadOnlySpan<byte> message);

    /// <summary>Makes a request that is waited for look again. Any thread.</summary>
    protected abstract void Wake();

    protected override Task WriteResponseHeadersAsyncCore(Metadata responseHeaders) => Task.CompletedTask;

    protected override ContextPropagationToken CreatePropagationTokenCore(ContextPropagationOptions? options) =>
        throw new NotSupportedException("Nothing is propagated.");
}
