// SPDX-License-Identifier: Apache-2.0
using Grpc.Core;
using Muster.Core;

namespace Muster.Server.Endpoint;

/// <summary>The ends of calls that the endpoint itself decides.</summary>
internal static class CallFailures
{
    public static readonly Fault Malformed = new(
        FaultCode.InvalidArgument,
        "a message is not valid protobuf of its type; regenerate the client from proto/muster");

    public static readonly Fault Stopping = new(
        FaultCode.ShuttingDown, "this server is stopping; connect again in a moment", RetryAfterMs: 200);

    public static RpcException Cancelled() => new(new Status(StatusCode.Cancelled, "The client cancelled the call."));

    public static RpcException DeadlineExceeded() =>
        new(new Status(StatusCode.DeadlineExceeded, "The deadline of the call has passed."));
}
