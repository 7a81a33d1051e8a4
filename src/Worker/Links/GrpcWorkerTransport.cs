// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Extensions.Logging;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
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

    private readonly ICredentialSource? _credentials;

    // By address and version of the credential: streams that are open keep the proof that they began with.
    private readonly Dictionary<(string Address, int Version), GrpcChannel> _channels = [];

    public GrpcWorkerTransport(ICredentialSource? credentials = null, ILogger? log = null)
    {
        _credentials = credentials;
        if (credentials is JoinedCredential joined && log is not null)
        {
            joined.RenewalFailed = why => WorkerLog.RenewalFailed(log, why);
        }
    }

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

        _credentials?.Dispose();
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

            var credential = await CredentialAsync(address, cancellationToken).ConfigureAwait(false);
            var invoker = Channel(address, credential).CreateCallInvoker();
            return new GrpcMessageStream(invoker.AsyncDuplexStreamingCall(method, null, default));
        }
        catch (Exception exception) when (GrpcMessageStream.IsExpected(exception))
        {
            throw GrpcMessageStream.Translate(exception);
        }
    }

    private async ValueTask<CellCredential?> CredentialAsync(string address, CancellationToken cancellationToken)
    {
        if (_credentials is null || address.StartsWith("unix:", StringComparison.Ordinal))
        {
            return null;
        }

        try
        {
            return await _credentials.GetAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (ServerNotTrustedException problem)
        {
            throw new LinkException(FaultCode.ServerNotTrusted, problem.Message, null, problem);
        }
        catch (CredentialsUnusableException problem)
        {
            throw new LinkException(FaultCode.CredentialsUnusable, problem.Message, null, problem);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new LinkException(
                FaultCode.CredentialsUnusable, $"the certificate cannot be kept: {problem.Message}", null, problem);
        }
    }

    private GrpcChannel Channel(string address, CellCredential? credential)
    {
        var key = (address, credential?.Version ?? 0);
        lock (_channels)
        {
            if (!_channels.TryGetValue(key, out var channel))
            {
                try
                {
                    channel = GrpcChannel.ForAddress(address, credential?.On(s_options) ?? s_options);
                }
                catch (ArgumentException exception)
                {
                    throw new LinkException(FaultCode.AddressInvalid, exception.Message, null, exception);
                }

                _channels.Add(key, channel);
            }

            return channel;
        }
    }
}
