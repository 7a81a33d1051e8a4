// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Transport.Wire;

namespace Muster.Server.Endpoint;

/// <summary>
/// The status for what a handler threw. Its text reaches the client only when the handler meant it to.
/// </summary>
internal static class HandlerFailure
{
    /// <param name="exception">What was thrown.</param>
    /// <param name="method">The method, for the log.</param>
    /// <param name="router">Whose log it is, and who is told of a violated invariant.</param>
    /// <param name="isPeerGone">Nobody waits for the answer any more.</param>
    /// <param name="trailers">Gets what is sent beside the status.</param>
    public static Status Explain(
        Exception exception, string method, CallRouter router, bool isPeerGone, Metadata trailers)
    {
        switch (exception)
        {
            case RpcException failure:
                Add(trailers, failure.Trailers);
                return failure.Status;
            case InvariantException violation:
                EndpointLog.InvariantViolated(router.Logger, method, violation);
                router.Options.InvariantViolated?.Invoke(violation);
                return new Status(StatusCode.Internal, "The server found a bug of its own and stops.");
            case WireFormatException or InvalidProtocolBufferException:
                var fault = FaultStatus.ToException(CallFailures.Malformed);
                Add(trailers, fault.Trailers);
                return fault.Status;
            case OperationCanceledException or IOException when isPeerGone:
                return Status.DefaultCancelled;
            default:
                EndpointLog.HandlerFailed(router.Logger, method, exception);
                return new Status(StatusCode.Unknown, "The handler failed; the server's log says why.");
        }
    }

    public static void Add(Metadata trailers, Metadata more)
    {
        foreach (var entry in more)
        {
            trailers.Add(entry);
        }
    }
}
