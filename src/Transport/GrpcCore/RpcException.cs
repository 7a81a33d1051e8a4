// SPDX-License-Identifier: Apache-2.0
using System;

namespace Grpc.Core;

/// <summary>A call ended with another status than OK. Server code throws it to end its call so.</summary>
internal sealed class RpcException : Exception
{
    private static readonly Metadata s_none = Metadata.Empty;

    public RpcException(Status status)
        : this(status, s_none)
    {
    }

    public RpcException(Status status, string message)
        : this(status, s_none, message)
    {
    }

    public RpcException(Status status, Metadata trailers)
        : this(status, trailers, status.ToString())
    {
    }

    public RpcException(Status status, Metadata trailers, string message)
        : base(message, status.DebugException)
    {
        ArgumentNullException.ThrowIfNull(trailers);
        Status = status;
        Trailers = trailers;
    }

    public Status Status { get; }

    public StatusCode StatusCode => Status.StatusCode;

    public Metadata Trailers { get; }
}
