// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Muster.Core;
using Muster.Link;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Worker.Links;

/// <summary>
/// The worker's streams over gRPC: one channel per address, kept for the life of the worker. Safe for many threads.
/// </summary>
/// <remarks>
/// Reads go on in the receive loop of the connection, which saves a change of threads per message; nothing that the
/// links do there blocks or runs user code.
/// </remarks>
internal sealed class GrpcWorkerTransport : IWorkerTransport
{
    private static readonly GrpcChannelOptions s_options = new()
    {
        InlineCompletions = true,

        // The links have waits of their own; the channel must be ready when they come back.
        BackoffMax = TimeSpan.FromMilliseconds(200),
        KeepAliveInterval = TimeSpan.FromSeconds(5),
        KeepAliveTimeout = TimeSpan.FromSeconds(10),
    };

    private readonly Dictionary<string, GrpcChannel> _channels = new(StringComparer.Ordinal);

    public ValueTask<IMessageStream> OpenHeartbeatAsync(string address, CancellationToken cancellationToken) =>
        OpenAsync(address, RawMethods.Heartbeat, cancellationToken);

    public ValueTask<IMessageStream> OpenDispatchAsync(string address, CancellationToken cancellationToken) =>
        OpenAsync(address, RawMethods.Dispatch, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        GrpcChannel[] channels;
        lock (_channels)
        {
            channels = [.. _channels.Values];
            _channels.Clear();
        }

        foreach (var channel in channels)
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    private async ValueTask<IMessageStream> OpenAsync(
        string address, Grpc.Core.Method<RawMessage, RawMessage> method, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            if (await LinkDialer.TryOpenAsync(address, method).ConfigureAwait(false) is { } linked)
            {
                return new GrpcMessageStream(linked);
            }

            var invoker = Channel(address).CreateCallInvoker();
            return new GrpcMessageStream(invoker.AsyncDuplexStreamingCall(method, null, default));
        }
        catch (Exception exception) when (GrpcMessageStream.IsExpected(exception))
        {
            throw GrpcMessageStream.Translate(exception);
        }
    }

    private GrpcChannel Channel(string address)
    {
        lock (_channels)
        {
            if (!_channels.TryGetValue(address, out var channel))
            {
                try
                {
                    channel = GrpcChannel.ForAddress(address, s_options);
                }
                catch (ArgumentException exception)
                {
                    throw new LinkException(FaultCode.AddressInvalid, exception.Message, null, exception);
                }

                _channels.Add(address, channel);
            }

            return channel;
        }
    }
}
