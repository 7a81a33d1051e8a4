// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.Threading;
using System.Threading.Tasks;
using System.Threading.Tasks.Sources;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>The response stream.</summary>
internal sealed partial class TypedCall<TRequest, TResponse> : IMessageReader<TResponse>, IValueTaskSource<bool>
{
    private readonly Queue<(TResponse Message, int Bytes)>? _messages;
    private ManualResetValueTaskSourceCore<bool> _readSource;
    private TResponse? _current;
    private bool _reading;
    private int _taken;

    public TResponse Current => _current ?? throw new InvalidOperationException("There is no current message.");

    public Task<bool> MoveNext(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            return MoveNextCancellable(cancellationToken);
        }

        var read = ReadAsync();
        return read.IsCompletedSuccessfully ? Task.FromResult(read.Result) : read.AsTask();
    }

    public ValueTask<bool> ReadAsync()
    {
        int credit;
        lock (Gate)
        {
            if (_reading)
            {
                throw new InvalidOperationException("Another read of this stream is still waiting.");
            }

            if (!TryDequeue(out credit))
            {
                if (IsFinished)
                {
                    return EndOfStream();
                }

                _reading = true;
                _readSource.Reset();
                return new ValueTask<bool>(this, _readSource.Version);
            }
        }

        Credit(credit);
        return new ValueTask<bool>(true);
    }

    public bool TryRead([MaybeNullWhen(false)] out TResponse message)
    {
        int credit;
        lock (Gate)
        {
            if (_reading || !TryDequeue(out credit))
            {
                message = null;
                return false;
            }

            message = _current!;
        }

        Credit(credit);
        return true;
    }

    bool IValueTaskSource<bool>.GetResult(short token) => _readSource.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => _readSource.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _readSource.OnCompleted(continuation, state, token, flags);

    private async Task<bool> MoveNextCancellable(CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister(
            static state => ((TypedCall<TRequest, TResponse>)state!).Cancel(), this))
        {
            return await ReadAsync().ConfigureAwait(false);
        }
    }

    private void SignalReader()
    {
        var credit = 0;
        bool found;
        lock (Gate)
        {
            if (!_reading)
            {
                return;
            }

            found = TryDequeue(out credit);
            if (!found && !IsFinished)
            {
                return;
            }

            _reading = false;
        }

        if (found)
        {
            Credit(credit);
            _readSource.SetResult(true);
        }
        else if (EndStatus.StatusCode == StatusCode.OK)
        {
            _readSource.SetResult(false);
        }
        else
        {
            _readSource.SetException(Error());
        }
    }

    // Under the gate. Credits are gathered up to a quarter of the window, so that small messages cost no lock more.
    private bool TryDequeue(out int credit)
    {
        credit = 0;
        if (!_messages!.TryDequeue(out var next))
        {
            return false;
        }

        _current = next.Message;
        _taken += next.Bytes;
        if (_taken >= Channel.Options.StreamWindowBytes / 4)
        {
            (credit, _taken) = (_taken, 0);
        }

        return true;
    }

    private ValueTask<bool> EndOfStream() => EndStatus.StatusCode == StatusCode.OK
        ? new ValueTask<bool>(false)
        : ValueTask.FromException<bool>(Error());

    private void Credit(int bytes)
    {
        if (bytes > 0)
        {
            Connection?.Credit(this, bytes);
        }
    }
}
