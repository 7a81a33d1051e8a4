// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Grpc.Core;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// Learns the methods of every service that is added, and becomes the frozen table that requests are looked up in.
/// </summary>
internal sealed class MethodTable : ServiceBinderBase
{
    private readonly Dictionary<string, CallHandler> _handlers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> _linked =
        new(StringComparer.Ordinal);

    /// <summary>Whether calls of the methods that are added from now on wait at the gate.</summary>
    public bool WaitForRoles { get; set; } = true;

    /// <summary>The full name of the service whose methods were added last.</summary>
    public string LastService { get; private set; } = string.Empty;

    /// <summary>Those that links may carry: streams whose messages are bytes.</summary>
    public FrozenDictionary<string, DuplexStreamingServerMethod<RawMessage, RawMessage>> FreezeLinked() =>
        _linked.ToFrozenDictionary(StringComparer.Ordinal);

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
        if (handler is DuplexStreamingServerMethod<RawMessage, RawMessage> bytes)
        {
            _linked.Add(method.FullName, bytes);
        }
    }

    private void Add(CallHandler handler)
    {
        LastService = handler.Service;
        handler.WaitsForRoles = WaitForRoles;
        if (!_handlers.TryAdd(handler.FullName, handler))
        {
            throw new ArgumentException($"The method {handler.FullName} was added twice.");
        }
    }
}
