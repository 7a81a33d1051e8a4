// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Grpc.Core;

namespace Muster.Server.Endpoint;

/// <summary>
/// Learns the methods of every service that is added, and becomes the frozen table that requests are looked up in.
/// </summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private readonly Dictionary<string, CallHandler> _handlers = new(StringComparer.Ordinal);

    public FrozenDictionary<string, CallHandler> Freeze() => _handlers.ToFrozenDictionary(StringComparer.Ordinal);

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new CallHandler<TRequest, TResponse>(method, async call =>
        {
            var request = await call.ReadOnlyRequestAsync().ConfigureAwait(false);
            call.WriteOnlyResponse(await handler(request, call).ConfigureAwait(false));
        }));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ClientStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new CallHandler<TRequest, TResponse>(
            method, async call => call.WriteOnlyResponse(await handler(call, call).ConfigureAwait(false))));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, ServerStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new CallHandler<TRequest, TResponse>(method, async call =>
        {
            var request = await call.ReadOnlyRequestAsync().ConfigureAwait(false);
            await handler(request, call, call).ConfigureAwait(false);
        }));
    }

    public override void AddMethod<TRequest, TResponse>(
        Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        Add(new CallHandler<TRequest, TResponse>(method, call => handler(call, call, call)));
    }

    private void Add(CallHandler handler)
    {
        if (!_handlers.TryAdd(handler.FullName, handler))
        {
            throw new ArgumentException($"The method {handler.FullName} was added twice.");
        }
    }
}
