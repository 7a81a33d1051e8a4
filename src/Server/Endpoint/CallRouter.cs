// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Threading;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Muster.Core;
using Muster.Server.Endpoint.Access;
using Muster.Server.Http2;

namespace Muster.Server.Endpoint;

/// <summary>
/// Finds the method of each request and starts its call. A request for an unknown path costs a table look-up and
/// constant bytes. Keeps the open streams, so that a stopping server can end them.
/// </summary>
internal sealed class CallRouter : ICallStarter
{
    private static readonly byte[] s_unknownMethod = ResponseBlocks.OfEnd(
        new Status(StatusCode.Unimplemented, "This server has no such method."), null, isTrailersOnly: true);

    private static readonly byte[] s_headersTooLarge = ResponseBlocks.OfEnd(
        new Status(StatusCode.ResourceExhausted, "The headers are more or larger than this server takes."),
        null,
        isTrailersOnly: true);

    private readonly FrozenDictionary<string, CallHandler>.AlternateLookup<ReadOnlySpan<char>> _methods;
    private readonly Lock _gate = new();
    private readonly HashSet<IOutboxCall> _streams = [];
    private volatile bool _isStopping;

    public CallRouter(EndpointOptions options, FrozenDictionary<string, CallHandler> methods, CallGate gate)
    {
        Gate = gate;
        Options = options;
        Logger = options.Logs.CreateLogger("Muster.Server.Endpoint");
        _methods = methods.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    public EndpointOptions Options { get; }

    public ILogger Logger { get; }

    /// <summary>What calls pass before their handlers begin.</summary>
    public CallGate Gate { get; }

    /// <summary>Streams that are open now.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count;
            }
        }
    }

    void ICallStarter.Start(ServerStream stream, RequestHead head)
    {
        if (!head.IsPost)
        {
            Answer(stream, ResponseBlocks.MethodNotAllowed);
        }
        else if (!head.IsGrpcContent)
        {
            Answer(stream, ResponseBlocks.UnsupportedMediaType);
        }
        else if (head.IsTooLarge)
        {
            Answer(stream, s_headersTooLarge);
        }
        else
        {
            _methods.TryGetValue(head.Path, out var method);
            Route(stream, head, method);
        }
    }

    private void Route(ServerStream stream, RequestHead head, CallHandler? method)
    {
        var caller = Caller.Local;
        if (Options.Gate is { } gate)
        {
            var fault = gate.Admit(stream.Connection.Peer, head.Authorization, head.Path, method?.Rule, out caller);
            if (!fault.IsNone)
            {
                Refuse(stream, fault);
                return;
            }
        }

        if (method is null)
        {
            Answer(stream, s_unknownMethod);
        }
        else if (_isStopping)
        {
            Refuse(stream, CallFailures.Stopping);
        }
        else
        {
            method.Start(stream, head, this, caller);
        }
    }

    /// <summary>Ends the open calls of identities that are not served any more.</summary>
    public void EndRefused()
    {
        IOutboxCall[] open;
        lock (_gate)
        {
            open = [.. _streams];
        }

        foreach (var call in open)
        {
            var fault = Options.Gate!.Check(call.Caller);
            if (!fault.IsNone)
            {
                call.EndWith(FaultStatus.ToException(fault));
            }
        }
    }

    /// <summary>Refuses new calls from now on and ends every open stream as a server that is stopping.</summary>
    public void Stop()
    {
        IOutboxCall[] open;
        lock (_gate)
        {
            _isStopping = true;
            open = [.. _streams];
        }

        foreach (var call in open)
        {
            call.EndWith(FaultStatus.ToException(CallFailures.Stopping));
        }
    }

    public void Add(IOutboxCall call)
    {
        bool late;
        lock (_gate)
        {
            _streams.Add(call);
            late = _isStopping;
        }

        if (late)
        {
            call.EndWith(FaultStatus.ToException(CallFailures.Stopping));
        }
    }

    public void Remove(IOutboxCall call)
    {
        lock (_gate)
        {
            _streams.Remove(call);
        }
    }

    private static void Refuse(ServerStream stream, in Fault fault)
    {
        var refusal = FaultStatus.ToException(fault);
        Answer(stream, ResponseBlocks.OfEnd(refusal.Status, refusal.Trailers, isTrailersOnly: true));
    }

    private static void Answer(ServerStream stream, byte[] block)
    {
        stream.Connection.Finish(stream, null, 0, block);
        stream.Connection.CallEnded();
    }
}
