// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Muster.Transport.Http2;

namespace Muster.Server.Http2;

/// <content>What goes out. All of it is guarded by the connection's lock.</content>
internal sealed partial class ServerStream : IValueTaskSource<FlushResult>
{
    // The writer waits for windows and must not run under the connection's lock, where it is woken.
    private ManualResetValueTaskSourceCore<FlushResult> _sent = new() { RunContinuationsAsynchronously = true };

    private ReadOnlyMemory<byte> _out;
    private byte[]? _owned;
    private bool _isWriting;

    /// <summary>Has a place on its connection.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>The peer has said everything.</summary>
    public bool IsPeerEnded { get; set; }

    public bool AreHeadersSent { get; set; }

    /// <summary>Waits in the connection's list of blocked streams.</summary>
    public bool IsBlocked { get; set; }

    /// <summary>A write was given up half-way.</summary>
    public bool IsCut { get; set; }

    /// <summary>Bytes of DATA that the peer still takes.</summary>
    public int SendWindow { get; set; }

    /// <summary>Bytes of DATA that we still take.</summary>
    public int ReceiveWindow { get; set; }

    /// <summary>Bytes taken in but not yet given back to the peer.</summary>
    public int Uncredited { get; set; }

    /// <summary>The last header block, which ends the stream behind everything else; null: not yet.</summary>
    public byte[]? Trailers { get; private set; }

    /// <summary>When something of it last moved after its call had ended.</summary>
    public long MovedAt { get; set; }

    /// <summary>What is still to be sent.</summary>
    public ReadOnlySpan<byte> Out => _out.Span;

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => _sent.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => _sent.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _sent.OnCompleted(continuation, state, token, flags);

    /// <summary>Bytes that their owner keeps until they have gone.</summary>
    internal void SetOut(ReadOnlyMemory<byte> bytes) => _out = bytes;

    /// <summary>The last bytes and the trailers; the stream returns the rented buffer.</summary>
    internal void SetEnd(byte[]? rented, int length, byte[] trailers, long now)
    {
        _owned = rented;
        _out = rented.AsMemory(0, length);
        Trailers = trailers;
        MovedAt = now;
    }

    /// <summary>The writer waits until <see cref="Advance"/> has taken everything.</summary>
    internal ValueTask<FlushResult> WaitForOut()
    {
        _sent.Reset();
        _isWriting = true;
        return new(this, _sent.Version);
    }

    /// <summary>So many bytes are in frames.</summary>
    internal void Advance(int count)
    {
        _out = _out[count..];
        if (_out.IsEmpty)
        {
            EndOut(default);
        }
    }

    /// <summary>Nothing more goes out; whoever waits hears it.</summary>
    internal void DropOut(bool isCancelled) => EndOut(new FlushResult(isCancelled, isCompleted: !isCancelled));

    private void EndOut(FlushResult result)
    {
        _out = default;
        if (_owned is not null)
        {
            ArrayPool<byte>.Shared.Return(_owned);
            _owned = null;
        }

        if (_isWriting)
        {
            _isWriting = false;
            _sent.SetResult(result);
        }
    }
}
