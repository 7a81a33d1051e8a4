// SPDX-License-Identifier: Apache-2.0
using System;
using Grpc.Core;
using Muster.Core;
using Muster.Transport;

namespace Muster.Server.Endpoint;

/// <summary>
/// A <see cref="Fault"/> as gRPC shows it: status and message for every client, and google.rpc.Status with ErrorInfo
/// (and RetryInfo when trying again helps) in grpc-status-details-bin for those who read it.
/// </summary>
internal static class FaultStatus
{
    /// <summary>The domain of every reason that Muster gives.</summary>
    public const string Domain = "muster";

    public static StatusCode CodeOf(FaultCode code) => (StatusCode)FaultCodes.GrpcStatus(code);

    /// <summary>The exception that a handler throws to end its call with the fault.</summary>
    public static RpcException ToException(in Fault fault)
    {
        Invariant.That(!fault.IsNone);
        return RichStatus.ToException(
            CodeOf(fault.Code), fault.Message, FaultCodes.Name(fault.Code), Domain, RetryAfter(fault));
    }

    /// <summary>Throws when there is a fault.</summary>
    public static void ThrowIfFault(in Fault fault)
    {
        if (!fault.IsNone)
        {
            throw ToException(fault);
        }
    }

    private static TimeSpan? RetryAfter(in Fault fault) =>
        fault.RetryAfterMs == 0 ? null : TimeSpan.FromMilliseconds(fault.RetryAfterMs);
}
