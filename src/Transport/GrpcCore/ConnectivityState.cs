// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>What a channel is doing about its connection.</summary>
internal enum ConnectivityState
{
    /// <summary>Nobody has asked for a connection yet, or the last one ended in order.</summary>
    Idle,
    Connecting,
    Ready,

    /// <summary>The last attempt failed; another follows after the backoff.</summary>
    TransientFailure,
    Shutdown,
}
