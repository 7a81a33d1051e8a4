// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Muster.Arena.Native;
using Muster.Core;

namespace Muster.Transport.Sockets;

/// <summary>
/// The bytes of one connected socket, on a <see cref="SocketThread"/>. A write goes to the kernel on the caller's own
/// thread and waits only for what found no room; a read waits until there is something. What waited goes on on the
/// socket thread itself, so it must not block there. At most one read and one write at a time, from any threads.
/// Whoever disposes it, from any thread and any number of times, ends both with <see cref="ObjectDisposedException"/>.
/// </summary>
internal sealed partial class SocketStream : Stream, IValueTaskSource<int>, IValueTaskSource
{
    private readonly Socket _socket;
    private readonly SafeSocketHandle _handle;
    private readonly SocketThread _thread;
    private readonly ulong _tag;
    private readonly Lock _gate = new();

    // Guarded by the gate, but for results, which belong to whoever took the wait out of it.
    private ManualResetValueTaskSourceCore<int> _read;
    private ManualResetValueTaskSourceCore<bool> _write;
    private Memory<byte> _into;
    private ReadOnlyMemory<byte> _rest;
    private Wait _reading;
    private Wait _writing;
    private uint _watched;
    private bool _isDisposed;

    /// <param name="socket">Connected, or about to be; owned from now on.</param>
    /// <param name="thread">Which waits for it.</param>
    public SocketStream(Socket socket, SocketThread thread)
    {
        _socket = socket;
        _handle = socket.SafeHandle;
        _thread = thread;
        _tag = thread.Enter(this);
    }

    private enum Wait
    {
        None,
        Open,
        Cancelled,
    }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        cancellationToken.CanBeCanceled ? ReadUntilAsync(buffer, cancellationToken) : ReceiveAsync(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var rest = buffer;
        while (!rest.IsEmpty)
        {
            var count = Send(rest.Span);
            if (count < 0)
            {
                return count != -SocketBytes.EAGAIN ? ValueTask.FromException(Broken(-count))
                    : cancellationToken.CanBeCanceled ? SendRestUntilAsync(rest, cancellationToken)
                    : SendRestAsync(rest);
            }

            rest = rest[count..];
        }

        return default;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
        // Nothing is held back here.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>
    /// Something happened to the socket, or (0) to this object. Called by the socket thread alone, and after its end by
    /// whoever ends what waits.
    /// </summary>
    public void OnEvents(uint events)
    {
        // What is sent first makes room for what the bytes that came will cause.
        if (TryEndWrite(events, out var failure))
        {
            if (failure is null)
            {
                _write.SetResult(true);
            }
            else
            {
                _write.SetException(failure);
            }
        }

        if (TryEndRead(events, out var count, out failure))
        {
            if (failure is null)
            {
                _read.SetResult(count);
            }
            else
            {
                _read.SetException(failure);
            }
        }
    }

    int IValueTaskSource<int>.GetResult(short token) => _read.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => _write.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _write.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _write.OnCompleted(continuation, state, token, flags);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End();
        }

        base.Dispose(disposing);
    }

    private void End()
    {
        bool isAwaited;
        lock (_gate)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            isAwaited = _reading != Wait.None || _writing != Wait.None;
            if (_watched != 0)
            {
                _thread.Watch(_handle, _tag, _watched, 0);
                _watched = 0;
            }
        }

        _thread.Leave(_tag);
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // The other side has gone first, or its owner has closed the socket.
        }

        _socket.Dispose();
        if (isAwaited)
        {
            _thread.Post(this);
        }
    }

    private ValueTask<int> ReceiveAsync(Memory<byte> buffer)
    {
        lock (_gate)
        {
            Invariant.That(_reading == Wait.None);
            var failure = WhyNot(SpawnEpoll.EPOLLIN);
            if (failure is not null)
            {
                return ValueTask.FromException<int>(failure);
            }

            _into = buffer;
            _reading = Wait.Open;
            _read.Reset();
            return new(this, _read.Version);
        }
    }

    private ValueTask SendRestAsync(ReadOnlyMemory<byte> rest)
    {
        lock (_gate)
        {
            Invariant.That(_writing == Wait.None);
            var failure = WhyNot(SpawnEpoll.EPOLLOUT);
            if (failure is not null)
            {
                return ValueTask.FromException(failure);
            }

            _rest = rest;
            _writing = Wait.Open;
            _write.Reset();
            return new(this, _write.Version);
        }
    }

    private async ValueTask<int> ReadUntilAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var read = ReceiveAsync(buffer);
        using (cancellationToken.UnsafeRegister(static stream => ((SocketStream)stream!).Cancel(isRead: true), this))
        {
            return await read.ConfigureAwait(false);
        }
    }

    private async ValueTask SendRestUntilAsync(ReadOnlyMemory<byte> rest, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var sent = SendRestAsync(rest);
        using (cancellationToken.UnsafeRegister(static stream => ((SocketStream)stream!).Cancel(isRead: false), this))
        {
            await sent.ConfigureAwait(false);
        }
    }

    // A wait that is over already is none: its registration ends before another wait can begin.
    private void Cancel(bool isRead)
    {
        lock (_gate)
        {
            ref var wait = ref isRead ? ref _reading : ref _writing;
            if (wait != Wait.Open)
            {
                return;
            }

            wait = Wait.Cancelled;
        }

        _thread.Post(this);
    }

    // Under the gate: has the thread watch for this too.
    private Exception? WhyNot(uint wanted)
    {
        if (_isDisposed)
        {
            return new ObjectDisposedException(nameof(SocketStream));
        }

        var error = Watch(_watched | wanted);
        return error == 0 ? null : Broken(error);
    }

    // Under the gate.
    private int Watch(uint wanted)
    {
        if (wanted == _watched)
        {
            return 0;
        }

        int error;
        try
        {
            error = _thread.Watch(_handle, _tag, _watched, wanted);
        }
        catch (ObjectDisposedException)
        {
            error = SocketBytes.EBADF;
        }

        _watched = error == 0 ? wanted : _watched;
        return error;
    }

    // A socket that somebody else has closed must not end the thread that serves others too.
    private int Receive(Span<byte> bytes)
    {
        try
        {
            return SocketBytes.Receive(_handle, bytes);
        }
        catch (ObjectDisposedException)
        {
            return -SocketBytes.EBADF;
        }
    }

    private int Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return SocketBytes.Send(_handle, bytes);
        }
        catch (ObjectDisposedException)
        {
            return -SocketBytes.EBADF;
        }
    }

    private bool TryEndWrite(uint events, out Exception? failure)
    {
        lock (_gate)
        {
            failure = _writing == Wait.None ? null : WhyOver(_writing);
            if (_writing == Wait.None || (failure is null && (events & ~SpawnEpoll.EPOLLIN) == 0))
            {
                return false;
            }

            while (failure is null && !_rest.IsEmpty)
            {
                var count = Send(_rest.Span);
                if (count == -SocketBytes.EAGAIN)
                {
                    return false;
                }

                failure = count < 0 ? Broken(-count) : null;
                _rest = _rest[Math.Max(count, 0)..];
            }

            _rest = default;
            _writing = Wait.None;
            if (!_isDisposed)
            {
                // Room is there nearly always: it is only asked for while somebody waits for it.
                Watch(_watched & ~SpawnEpoll.EPOLLOUT);
            }

            return true;
        }
    }

    private bool TryEndRead(uint events, out int count, out Exception? failure)
    {
        count = 0;
        lock (_gate)
        {
            failure = _reading == Wait.None ? null : WhyOver(_reading);
            if (failure is null && (events & ~SpawnEpoll.EPOLLOUT) == 0)
            {
                return false;
            }

            if (_reading == Wait.None)
            {
                // Nobody reads at present, so nobody is to be told, again and again, that something is there.
                if (!_isDisposed)
                {
                    Watch(_watched & ~SpawnEpoll.EPOLLIN);
                }

                return false;
            }

            if (failure is null)
            {
                count = Receive(_into.Span);
                if (count == -SocketBytes.EAGAIN)
                {
                    return false;
                }

                failure = count < 0 ? Broken(-count) : null;
            }

            _into = default;
            _reading = Wait.None;
            return true;
        }
    }

    private Exception? WhyOver(Wait wait) =>
        _isDisposed ? new ObjectDisposedException(nameof(SocketStream))
        : wait == Wait.Cancelled ? new OperationCanceledException()
        : null;

    private static Exception Broken(int errno)
    {
        if (errno == SocketBytes.EBADF)
        {
            return new ObjectDisposedException(nameof(SocketStream));
        }

        var failure = errno switch
        {
            SocketBytes.ECONNRESET => new SocketException((int)SocketError.ConnectionReset),
            SocketBytes.ECONNABORTED => new SocketException((int)SocketError.ConnectionAborted),
            SocketBytes.EPIPE => new SocketException((int)SocketError.Shutdown),
            SocketBytes.ENOTCONN => new SocketException((int)SocketError.NotConnected),
            SocketBytes.ETIMEDOUT => new SocketException((int)SocketError.TimedOut),
            _ => new SocketException((int)SocketError.SocketError, Marshal.GetPInvokeErrorMessage(errno)),
        };
        return new IOException(failure.Message, failure);
    }
}
