// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Server.Endpoint.Access;
using Muster.Server.Http2;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>One method that is served: makes the call object and runs it. Immutable, any thread.</summary>
internal abstract class CallHandler(string service, string fullName, MethodType type)
{
    public string Service { get; } = service;

    public string FullName { get; } = fullName;

    public MethodType Type { get; } = type;

    /// <summary>Who may call it; null: nobody decided, so only the cell's own user.</summary>
    public AccessRule? Rule { get; } = AccessRules.Find(fullName);

    /// <summary>Several messages go at least one way, so the call may last as long as it likes.</summary>
    public bool IsStreaming => Type != MethodType.Unary;

    /// <summary>The request is one message.</summary>
    public bool HasOneRequest => Type is MethodType.Unary or MethodType.ServerStreaming;

    /// <summary>Its calls wait at the gate of a server whose roles still take over. Set before the server starts.
    /// </summary>
    public bool WaitsForRoles { get; set; }

    public abstract void Start(ServerStream stream, RequestHead head, CallRouter router, Caller caller);
}

/// <inheritdoc/>
internal sealed class CallHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<GrpcCall<TRequest, TResponse>, Task> serve)
    : CallHandler(method.ServiceName, method.FullName, method.Type)
    where TRequest : class
    where TResponse : class
{
    // The hot streams: their handlers have a turn with a message and never block, so they run where the message was
    // read. Others may do anything, and run on threads of their own.
    private readonly bool _isOnLoop =
        typeof(TRequest) == typeof(RawMessage) && method.Type == MethodType.DuplexStreaming;

    public Method<TRequest, TResponse> Method => method;

    public override void Start(ServerStream stream, RequestHead head, CallRouter router, Caller caller)
    {
        stream.IsBodyTimed = HasOneRequest;
        stream.IsReadOnLoop = _isOnLoop;
        var call = new GrpcCall<TRequest, TResponse>(this, stream, head, router, caller);
        stream.Attach(call);
        if (_isOnLoop)
        {
            _ = call.RunAsync();
        }
        else
        {
            ThreadPool.UnsafeQueueUserWorkItem(call, preferLocal: false);
        }
    }

    public Task ServeAsync(GrpcCall<TRequest, TResponse> call) => serve(call);
}
