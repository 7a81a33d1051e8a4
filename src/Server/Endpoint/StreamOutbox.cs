// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// What waits to go out on one response stream. Any thread appends encoded messages under a short lock; one thread at a
/// time, whichever flushed first, writes, and everything appended meanwhile goes out in its next single flush. After
/// the first messages nothing is allocated: two rented buffers take turns, and a flush that waits for the peer is
/// resumed through one delegate made at the start.
/// Capacity: bytesMax bytes appended and not yet taken by the connection; one message of any size is always taken when
/// nothing waits. When full, the appender is told and keeps its message; once half has gone the room callback runs, on
/// the thread that writes and outside the lock, so it must only signal.
/// Owner: the call. It drains and closes the outbox when its handler has returned.
/// </summary>
internal sealed class StreamOutbox : IThreadPoolWorkItem
{
    private const int PrefixBytes = ResponseBuffer.PrefixBytes;
    private const int FirstBufferBytes = 4 * 1024;

    // A buffer that one large batch has blown up is given back instead of being kept for the life of the stream.
    private const int KeptBufferBytesMax = 256 * 1024;

    // A thread that came to flush its own messages hands the writing of others' to the pool after so many turns.
    private const int TurnsPerFlushMax = 8;

    private readonly Lock _gate = new();
    private readonly IOutboxSink _sink;
    private readonly int _bytesMax;
    private readonly Action? _roomAgain;
    private readonly Action _resume;

    // All below is guarded by the gate, but for what the one writer holds while _writing.
    private byte[] _filling = [];
    private int _filled;
    private byte[] _sending = [];
    private int _inFlight;
    private bool _writing;
    private bool _closed;
    private bool _broken;
    private bool _refused;
    private TaskCompletionSource? _drained;

    // Of the one writer alone.
    private ValueTaskAwaiter<FlushResult> _pending;

    public StreamOutbox(IOutboxSink sink, int bytesMax, Action? roomAgain = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bytesMax, PrefixBytes);
        _sink = sink;
        _bytesMax = bytesMax;
        _roomAgain = roomAgain;
        _resume = Resume;
    }

    /// <summary>The outbox of a call that this server handles. At most one for a call, and then nothing else
    /// writes.</summary>
    public static StreamOutbox Open(ServerCallContext context, int bytesMax, Action? roomAgain = null)
    {
        var call = (IOutboxCall)context;
        var outbox = new StreamOutbox(call, bytesMax, roomAgain);
        call.Attach(outbox);
        return outbox;
    }

    /// <summary>Bytes appended and not yet taken by the connection.</summary>
    public int PendingBytes
    {
        get
        {
            lock (_gate)
            {
                return _filled + _inFlight;
            }
        }
    }

    /// <summary>No more messages are taken.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate)
            {
                return _closed;
            }
        }
    }

    public AppendOutcome TryAppend(ProtoWriter message) => TryAppend(message.Written);

    /// <summary>Copies one message in; it goes out with the next <see cref="Flush"/> of anyone.</summary>
    public AppendOutcome TryAppend(ReadOnlySpan<byte> message) => TryAppend(message, _bytesMax);

    /// <summary>
    /// As the other, with a limit of its own for this message, at most the outbox's: so that what can wait elsewhere
    /// leaves room for what cannot.
    /// </summary>
    public AppendOutcome TryAppend(ReadOnlySpan<byte> message, int bytesMax)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return AppendOutcome.Closed;
            }

            var waiting = _filled + _inFlight;
            var added = PrefixBytes + message.Length;
            if (waiting > 0 && waiting + (long)added > Math.Min(bytesMax, _bytesMax))
            {
                _refused = true;
                return AppendOutcome.Full;
            }

            Reserve(added);
            ResponseBuffer.WritePrefix(_filling.AsSpan(_filled), message.Length);
            message.CopyTo(_filling.AsSpan(_filled + PrefixBytes));
            _filled += added;
            return AppendOutcome.Appended;
        }
    }

    /// <summary>Sends what was appended, here and now or by whoever is writing already. Never waits for the
    /// peer.</summary>
    public void Flush()
    {
        lock (_gate)
        {
            if (_writing || _filled == 0 || _broken)
            {
                return;
            }

            _writing = true;
        }

        Pump();
    }

    /// <summary>Takes no more messages, and ends the call with this status once what was appended has gone
    /// out.</summary>
    public void Close(RpcException why)
    {
        lock (_gate)
        {
            if (_closed)
            {
                return;
            }

            _closed = true;
        }

        Flush();
        _sink.EndWith(why);
    }

    /// <summary>As <see cref="Close(RpcException)"/>, with the status of a fault.</summary>
    public void Close(in Fault why) => Close(FaultStatus.ToException(why));

    /// <summary>
    /// Ends when everything appended has gone out or cannot any more. A handler that ends its call normally need not
    /// call it: the call does.
    /// </summary>
    public Task DrainAsync()
    {
        Flush();
        lock (_gate)
        {
            if (!_writing)
            {
                return Task.CompletedTask;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    void IThreadPoolWorkItem.Execute() => Pump();

    /// <summary>
    /// The end of the call: takes no more messages and drops those that wait. A write that is under way is not cut;
    /// <see cref="DrainAsync"/> says when it is over.
    /// </summary>
    internal void Seal()
    {
        lock (_gate)
        {
            _closed = true;
            _broken = true;
            _filled = 0;
            if (!_writing)
            {
                GiveBackBuffers();
            }
        }
    }

    private void Pump()
    {
        for (var turn = 0; ; turn++)
        {
            if (turn == TurnsPerFlushMax)
            {
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }

            if (!TakeBatch())
            {
                return;
            }

            try
            {
#pragma warning disable CA2012 // Its result is taken once: here when it has one, else by the resumed turn.
                var written = _sink.WriteAsync(_sending.AsMemory(0, _inFlight));
                if (!written.IsCompletedSuccessfully)
                {
                    // Also one that has failed already: the resumed turn sees why.
                    _pending = written.GetAwaiter();
                    _pending.UnsafeOnCompleted(_resume);
                    return;
                }

                if (!Sent(written.Result))
                {
                    return;
                }
#pragma warning restore CA2012
            }
            catch (Exception)
            {
                // Whatever the reason, this stream carries nothing any more; its call learns why by its own read.
                Break();
                return;
            }
        }
    }

    private void Resume()
    {
        try
        {
            if (!Sent(_pending.GetResult()))
            {
                return;
            }
        }
        catch (Exception)
        {
            // As in the loop: a failed flush is the end of the stream and of nothing else.
            Break();
            return;
        }

        Pump();
    }

    // Makes what was filled the batch to send; false when there is nothing, and then this thread is the writer no more.
    private bool TakeBatch()
    {
        TaskCompletionSource? drained;
        lock (_gate)
        {
            if (_filled > 0 && !_broken)
            {
                (_filling, _sending) = (_sending, _filling);
                _inFlight = _filled;
                _filled = 0;
                return true;
            }

            _writing = false;
            drained = _drained;
            _drained = null;
        }

        drained?.TrySetResult();
        return false;
    }

    private bool Sent(in FlushResult result)
    {
        if (result.IsCompleted || result.IsCanceled)
        {
            Break();
            return false;
        }

        bool tell;
        lock (_gate)
        {
            _inFlight = 0;
            if (_sending.Length > KeptBufferBytesMax)
            {
                ArrayPool<byte>.Shared.Return(_sending);
                _sending = [];
            }

            tell = _refused && _filled <= _bytesMax / 2;
            if (tell)
            {
                _refused = false;
            }
        }

        if (tell)
        {
            _roomAgain?.Invoke();
        }

        return true;
    }

    private void Break()
    {
        TaskCompletionSource? drained;
        lock (_gate)
        {
            _broken = true;
            _closed = true;
            _writing = false;
            _filled = 0;
            _inFlight = 0;
            drained = _drained;
            _drained = null;
            GiveBackBuffers();
        }

        drained?.TrySetResult();
        _roomAgain?.Invoke();
    }

    private void Reserve(int added)
    {
        if (_filling.Length - _filled >= added)
        {
            return;
        }

        var wanted = Math.Max(_filling.Length * 2, _filled + added);
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(FirstBufferBytes, wanted));
        _filling.AsSpan(0, _filled).CopyTo(larger);
        Return(_filling);
        _filling = larger;
    }

    private void GiveBackBuffers()
    {
        Return(_filling);
        Return(_sending);
        _filling = [];
        _sending = [];
        _filled = 0;
    }

    private static void Return(byte[] buffer)
    {
        if (buffer.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
