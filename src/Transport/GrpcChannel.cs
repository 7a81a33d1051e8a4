// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport.Calls;
using Muster.Transport.Http2;

namespace Muster.Transport;

/// <summary>
/// Leads to one server: connects when the first call wants it, connects again when the connection is gone, and keeps
/// calls waiting meanwhile. Safe for any thread. The gate guards its fields; it is taken before a connection's lock and
/// never held while a call is failed or bytes are written. At most <see cref="GrpcChannelOptions.WaitingCallsMax"/>
/// calls wait; more fail with RESOURCE_EXHAUSTED.
/// </summary>
internal sealed partial class GrpcChannel : ChannelBase, IConnectionOwner, IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly ChannelAddress _address;
    private readonly ChannelInvoker _invoker;
    private readonly LinkedList<ClientCall> _waiting = new();
    private readonly List<TaskCompletionSource> _readyWaiters = [];
    private readonly HashSet<Http2Connection> _connections = [];
    private readonly CancellationTokenSource _disposing = new();
    private readonly Backoff _backoff;
    private Http2Connection? _current;
    private Task _connecting = Task.CompletedTask;
    private bool _isConnecting;
    private int _waitingCount;
    private string _lastError = "";
    private ConnectivityState _state;

    private GrpcChannel(ChannelAddress address, GrpcChannelOptions options)
        : base(address.Text)
    {
        _address = address;
        Options = options;
        RequestHeaders = new RequestHeaders(
            address.Authority,
            address.IsSecure,
            options.UserAgent,
            options.MetadataBytesMax,
            address.MayCarrySecrets ? options.Bearer : null);
        _backoff = new Backoff(options.BackoffFirst, options.BackoffMax, Random.Shared);
        _invoker = new ChannelInvoker(this);
    }

    public ConnectivityState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>Why the last connect failed or the last connection ended; empty when neither happened.</summary>
    public string LastError
    {
        get
        {
            lock (_gate)
            {
                return _lastError;
            }
        }
    }

    internal GrpcChannelOptions Options { get; }

    internal RequestHeaders RequestHeaders { get; }

    /// <summary>Whether the caller runs on the receive loop of the present connection.</summary>
    internal bool IsOnReceiveLoop => Volatile.Read(ref _current)?.IsOnReceiveLoop == true;

    /// <summary>
    /// A channel to unix:/path, http://host:port or https://host:port. Nothing is connected yet. Throws
    /// <see cref="ArgumentException"/> when the address or the options are wrong.
    /// </summary>
    public static GrpcChannel ForAddress(string address, GrpcChannelOptions? options = null)
    {
        options ??= new GrpcChannelOptions();
        options.Validate();
        return new GrpcChannel(ChannelAddress.Parse(address), options);
    }

    public override CallInvoker CreateCallInvoker() => _invoker;

    /// <summary>
    /// Ends when a connection is ready; tries again, with the backoff between, until then. Throws
    /// <see cref="OperationCanceledException"/> when the token is signalled first.
    /// </summary>
    public async Task ConnectAsync(CancellationToken cancellationToken = default)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_state == ConnectivityState.Shutdown, this);
            if (_current is not null)
            {
                return;
            }

            _readyWaiters.Add(ready);
            EnsureConnecting();
        }

        try
        {
            await ready.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_gate)
            {
                _readyWaiters.Remove(ready);
            }
        }
    }

    /// <summary>Ends every call with CANCELLED and closes the connections. May be repeated.</summary>
    public async ValueTask DisposeAsync()
    {
        Http2Connection[] connections;
        ClientCall[] waiting;
        TaskCompletionSource[] readyWaiters;
        lock (_gate)
        {
            if (_state == ConnectivityState.Shutdown)
            {
                return;
            }

            _state = ConnectivityState.Shutdown;
            Volatile.Write(ref _current, null);
            connections = [.. _connections];
            waiting = [.. _waiting];
            readyWaiters = [.. _readyWaiters];
            _waiting.Clear();
            Volatile.Write(ref _waitingCount, 0);
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        foreach (var call in waiting)
        {
            call.Fail(Disposed());
        }

        foreach (var waiter in readyWaiters)
        {
            waiter.TrySetException(new ObjectDisposedException(nameof(GrpcChannel)));
        }

        foreach (var connection in connections)
        {
            connection.GiveUpStreams(Disposed().Detail);
            connection.Close("the channel was disposed");
        }

        await _connecting.ConfigureAwait(false);
        _disposing.Dispose();
    }

    protected override Task ShutdownAsyncCore() => DisposeAsync().AsTask();

    /// <summary>Starts the call, now or when there is a connection with room for it.</summary>
    internal void Start(ClientCall call)
    {
        if (Volatile.Read(ref _waitingCount) == 0
            && Volatile.Read(ref _current) is { } connection
            && connection.TryStart(call, out var turn) == StartResult.Started)
        {
            connection.Flush(turn);
            call.OnStarted();
            return;
        }

        if (Enqueue(call) is { } refusal)
        {
            call.Fail(refusal);
            return;
        }

        StartWaiting();
    }

    private static Status Disposed() => new(StatusCode.Cancelled, "The channel was disposed.");

    // Null: the call waits now.
    private Status? Enqueue(ClientCall call)
    {
        lock (_gate)
        {
            if (_state == ConnectivityState.Shutdown)
            {
                return Disposed();
            }

            if (_state == ConnectivityState.TransientFailure && !call.IsWaitForReady)
            {
                return new Status(StatusCode.Unavailable, _lastError);
            }

            if (_waiting.Count >= Options.WaitingCallsMax)
            {
                return new Status(
                    StatusCode.ResourceExhausted, $"{_waiting.Count} calls wait for the server already.");
            }

            _waiting.AddLast(call);
            Volatile.Write(ref _waitingCount, _waiting.Count);
            if (_current is null)
            {
                EnsureConnecting();
            }

            return null;
        }
    }

    /// <summary>Starts waiting calls as long as the connection has room.</summary>
    private void StartWaiting()
    {
        while (Volatile.Read(ref _waitingCount) > 0)
        {
            ClientCall call;
            Http2Connection connection;
            FlushTurn turn;
            lock (_gate)
            {
                if (_current is null || _waiting.First is not { } first)
                {
                    return;
                }

                (call, connection) = (first.Value, _current);
                turn = FlushTurn.None;
                var result = call.IsFinished ? StartResult.Started : connection.TryStart(call, out turn);
                if (result == StartResult.Full)
                {
                    return;
                }

                if (result == StartResult.Gone)
                {
                    Volatile.Write(ref _current, null);
                    EnsureConnecting();
                    return;
                }

                _waiting.RemoveFirst();
                Volatile.Write(ref _waitingCount, _waiting.Count);
            }

            connection.Flush(turn);
            call.OnStarted();
        }
    }
}
