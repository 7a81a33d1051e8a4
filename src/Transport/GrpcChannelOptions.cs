// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net.Security;
using Muster.Transport.Http2;

namespace Muster.Transport;

/// <summary>How a channel behaves. Validated as a whole when the channel is made.</summary>
internal sealed record GrpcChannelOptions
{
    /// <summary>Largest message that is taken. Default 4,194,304 bytes, as gRPC has it everywhere.</summary>
    public int ReceiveMessageBytesMax { get; init; } = 4 << 20;

    /// <summary>Largest message that is sent. Default 4,194,304 bytes.</summary>
    public int SendMessageBytesMax { get; init; } = 4 << 20;

    /// <summary>
    /// Largest metadata of one call in each direction, names and values and 32 bytes for each entry. Default 8,192
    /// bytes, the usual limit of gRPC.
    /// </summary>
    public int MetadataBytesMax { get; init; } = 8192;

    /// <summary>Unread bytes that one stream may hold. Default 1,048,576; at least 65,535.</summary>
    public int StreamWindowBytes { get; init; } = 1 << 20;

    /// <summary>Bytes under way on the whole connection. Default 16,777,216; not less than a stream's.</summary>
    public int ConnectionWindowBytes { get; init; } = 16 << 20;

    /// <summary>Calls that wait for a connection or for the server's stream limit. More fail. Default 10,000.</summary>
    public int WaitingCallsMax { get; init; } = 10_000;

    /// <summary>
    /// Whether calls wait through failed connects. False (the default): they fail with UNAVAILABLE when a connect
    /// failed. A single call may ask for it by <see cref="Grpc.Core.CallOptions.IsWaitForReady"/>.
    /// </summary>
    public bool WaitForReady { get; init; }

    /// <summary>
    /// Whether continuations run on the connection's receive loop. False (the default): they go to the thread pool.
    /// True saves a wake-up for each message, and obliges every continuation of the channel's calls never to block.
    /// </summary>
    public bool InlineCompletions { get; init; }

    /// <summary>Longest wait for a connection to be made. Default 5 seconds.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Wait after the first failed connect, before jitter of a fifth. Default 20 milliseconds.</summary>
    public TimeSpan BackoffFirst { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>The wait grows by 1.6 each time up to this. Default 5 seconds.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which the server is pinged. Null (the default): never.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>How long a ping's answer may take before the connection is given up. Default 20 seconds.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>TLS for https addresses; null: the system's trust and defaults. The protocol is always h2.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// Sent with every call as "authorization: Bearer"; null: nothing is. Not over a bare connection to another host.
    /// </summary>
    public string? Bearer { get; init; }

    /// <summary>Sent as user-agent.</summary>
    public string UserAgent { get; init; } = "grpc-dotnet-muster/0.1.0";

    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal ConnectionOptions ForConnection() => new()
    {
        StreamWindowBytes = StreamWindowBytes,
        ConnectionWindowBytes = ConnectionWindowBytes,

        // Room for the protocol's own headers beside the metadata.
        HeaderListBytesMax = MetadataBytesMax + 1024,
        KeepAliveInterval = KeepAliveInterval,
        KeepAliveTimeout = KeepAliveTimeout,
        Time = Time,
    };

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ReceiveMessageBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(SendMessageBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(MetadataBytesMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(StreamWindowBytes, Http2Limits.DefaultWindowBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(ConnectionWindowBytes, StreamWindowBytes);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(WaitingCallsMax);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ConnectTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(BackoffFirst, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(BackoffMax, BackoffFirst);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(KeepAliveTimeout, TimeSpan.Zero);
        if (KeepAliveInterval is { } interval)
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero, nameof(KeepAliveInterval));
        }
    }
}
