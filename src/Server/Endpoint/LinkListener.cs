// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Net.Sockets;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Arena.Links;
using Muster.Arena.Native;
using Muster.Core;
using Muster.Link;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// Accepts links from processes of the same host and user, on a Unix socket beside that of gRPC. Each link is one call
/// of one streaming method whose messages are bytes. A link costs a thread and half a MiB, so their number is limited;
/// who finds no room uses gRPC, which has all the same methods.
/// Owner: the endpoint.
/// </summary>
internal sealed class LinkListener : IDisposable
{
    private readonly Socket _socket;
    private readonly SocketFile _file;
    private readonly Lock _gate = new();

    // Guarded by the gate: links that are open, and room that is taken for them.
    private readonly HashSet<LinkEnd> _open = [];
    private int _taken;
    private TaskCompletionSource? _noneLeft;
    private bool _isStopped;
    private int _greetings;

    // Before the first link is accepted.
    private CallRouter _router = null!;
    private FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> _methods = null!;

    private LinkListener(Socket socket, SocketFile file)
    {
        _socket = socket;
        _file = file;
    }

    /// <summary>
    /// Listens beside the socket of gRPC; null when its path leaves no room for another. Whoever connects waits until
    /// <see cref="Serve"/>: a client that found the socket of gRPC alone would take that way for good.
    /// </summary>
    public static Fault Bind(string socketPath, out LinkListener? listener)
    {
        listener = null;
        var fault = SocketFile.Bind(LinkGreeting.PathOf(socketPath), out var file, out var socket);
        if (fault.IsNone)
        {
            listener = new LinkListener(socket!, file!);
        }

        return fault.Code == FaultCode.SocketPathTooLong ? Fault.None : fault;
    }

    /// <summary>Opens links from now on; once.</summary>
    public void Serve(
        CallRouter router, FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> methods)
    {
        Invariant.That(_router is null);
        _router = router;
        _methods = methods;
        _ = AcceptAsync();
    }

    /// <summary>Opens no more links; those that are open go on.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopped = true;
        }

        _socket.Dispose();
        _file.Dispose();
    }

    /// <summary>Waits until no link is open. Once cancelled, cuts those that are, and gives their handlers a moment.
    /// </summary>
    public async Task WhenEndedAsync(CancellationToken cut)
    {
        Task ended;
        lock (_gate)
        {
            _noneLeft ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            ended = _taken == 0 ? Task.CompletedTask : _noneLeft.Task;
        }

        await Task.WhenAny(ended, Task.Delay(Timeout.InfiniteTimeSpan, cut)).ConfigureAwait(false);
        LinkEnd[] left;
        lock (_gate)
        {
            left = [.. _open];
        }

        foreach (var end in left)
        {
            end.Dispose();
        }

        await Task.WhenAny(ended, Task.Delay(EndpointLimits.LinkCutTimeout, CancellationToken.None))
            .ConfigureAwait(false);
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket socket;
            try
            {
                socket = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                if (_socket.SafeHandle.IsClosed)
                {
                    return;
                }

                // No descriptor was left for this one; the next may find one again.
                await Task.Delay(EndpointLimits.AcceptPause).ConfigureAwait(false);
                continue;
            }

            if (Interlocked.Increment(ref _greetings) > EndpointLimits.LinkGreetingsMax)
            {
                // Who finds no room uses gRPC; those that say nothing are gone in a second.
                Interlocked.Decrement(ref _greetings);
                socket.Dispose();
                continue;
            }

            // Not here: a request that is there already would have its handler begin, and read on, in this loop.
            _ = Task.Run(() => GreetAsync(socket));
        }
    }

    private async Task GreetAsync(Socket socket)
    {
        using (socket)
        {
            string? method;
            try
            {
                method = await ReadMethodAsync(socket).ConfigureAwait(false);
            }
            finally
            {
                Interlocked.Decrement(ref _greetings);
            }

            if (method is not null)
            {
                await AnswerAsync(socket, method).ConfigureAwait(false);
            }
        }
    }

    private static async Task<string?> ReadMethodAsync(Socket socket)
    {
        try
        {
            using var timeout = new CancellationTokenSource(EndpointLimits.LinkGreetingTimeout);
            var request = new byte[LinkGreeting.RequestBytesMax];
            var received = await socket.ReceiveAsync(request, timeout.Token).ConfigureAwait(false);
            return SocketMessage.IsPeerOwn(socket)
                && LinkGreeting.TryReadRequest(request.AsSpan(0, received), out var method)
                    ? method
                    : null;
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            // Who connected has gone again, or says nothing.
            return null;
        }
    }

    private async Task AnswerAsync(Socket socket, string method)
    {
        if (!_methods.TryGetValue(method, out var handler))
        {
            SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.NoMethod), null);
            return;
        }

        if (!TryTakeRoom())
        {
            SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.NoRoom), null);
            return;
        }

        LinkEnd? end = null;
        try
        {
            end = Open(socket);
            if (end is not null)
            {
                await new LinkCall(method, end, _router).RunAsync(handler).ConfigureAwait(false);
            }
        }
        finally
        {
            end?.Dispose();
            GiveBackRoom(end);
        }
    }

    private LinkEnd? Open(Socket socket)
    {
        if (LinkPages.TryCreate(out var file) is not { } pages)
        {
            SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.NoRoom), null);
            return null;
        }

        using (file)
        {
            if (!SocketMessage.TrySend(socket.SafeHandle, LinkGreeting.Answer(LinkGreeting.Accepted), file))
            {
                pages.Dispose();
                return null;
            }
        }

        var end = LinkEnd.Start(pages, socket);
        lock (_gate)
        {
            _open.Add(end);
        }

        return end;
    }

    private bool TryTakeRoom()
    {
        lock (_gate)
        {
            if (_isStopped || _taken == EndpointLimits.LinksMax)
            {
                return false;
            }

            _taken++;
            return true;
        }
    }

    private void GiveBackRoom(LinkEnd? end)
    {
        lock (_gate)
        {
            if (end is not null)
            {
                _open.Remove(end);
            }

            if (--_taken == 0)
            {
                _noneLeft?.TrySetResult();
            }
        }
    }
}
