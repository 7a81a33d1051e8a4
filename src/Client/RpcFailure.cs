// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;
using System.Threading;
using Grpc.Core;
using Muster.Core;
using Muster.Transport;

namespace Muster.Client;

/// <summary>Turns the status of a call into what the SDK throws: the cell's own code where it gave one.</summary>
internal static class RpcFailure
{
    public static Exception Translate(RpcException failure, CancellationToken cancellationToken)
    {
        if (failure.StatusCode == StatusCode.Cancelled && cancellationToken.IsCancellationRequested)
        {
            return new OperationCanceledException(failure.Message, failure, cancellationToken);
        }

        var hasDetails = RichStatus.TryRead(failure, out var details);
        var reason = hasDetails ? details!.Error?.Reason : null;
        var code = string.IsNullOrEmpty(reason) ? NameOf(failure.StatusCode) : reason;
        var message = failure.Status.Detail.Length > 0 ? failure.Status.Detail : "the service gave no reason";
        return new MusterException(code, message, hasDetails ? details!.RetryAfter : null, failure)
        {
            IsTransient = IsTransient(failure.StatusCode, code),
        };
    }

    /// <summary>What a new connection may mend: everything but a request that is wrong in itself.</summary>
    private static bool IsTransient(StatusCode status, string code) => status switch
    {
        StatusCode.Unavailable or StatusCode.Internal or StatusCode.Unknown or StatusCode.Cancelled
            or StatusCode.DeadlineExceeded or StatusCode.ResourceExhausted => true,
        StatusCode.Aborted => code != FaultCodes.Name(FaultCode.SessionTakenOver),
        StatusCode.FailedPrecondition => code == FaultCodes.Name(FaultCode.RefOutOfOrder)
            || code == FaultCodes.Name(FaultCode.SessionUnknown),
        _ => false,
    };

    /// <summary>The status in the manner of our codes: DeadlineExceeded is DEADLINE_EXCEEDED.</summary>
    private static string NameOf(StatusCode status)
    {
        var name = new StringBuilder();
        foreach (var letter in status.ToString())
        {
            if (char.IsUpper(letter) && name.Length > 0)
            {
                name.Append('_');
            }

            name.Append(char.ToUpperInvariant(letter));
        }

        return name.ToString();
    }
}
