// SPDX-License-Identifier: Apache-2.0
using Grpc.Core;
using Muster.Transport.Http2;

namespace Muster.Transport.Calls;

/// <summary>Which gRPC status stands for what the layers below said, as the published mappings have it.</summary>
internal static class StatusMapping
{
    public static StatusCode FromHttp(int status) => status switch
    {
        400 => StatusCode.Internal,
        401 => StatusCode.Unauthenticated,
        403 => StatusCode.PermissionDenied,
        404 => StatusCode.Unimplemented,
        429 or 502 or 503 or 504 => StatusCode.Unavailable,
        _ => StatusCode.Unknown,
    };

    public static StatusCode FromReset(Http2ErrorCode code) => code switch
    {
        Http2ErrorCode.RefusedStream => StatusCode.Unavailable,
        Http2ErrorCode.Cancel => StatusCode.Cancelled,
        Http2ErrorCode.EnhanceYourCalm => StatusCode.ResourceExhausted,
        Http2ErrorCode.InadequateSecurity => StatusCode.PermissionDenied,
        _ => StatusCode.Internal,
    };

    /// <summary>Numbers that no status has count as unknown.</summary>
    public static StatusCode FromNumber(int number) =>
        number is >= (int)StatusCode.OK and <= (int)StatusCode.Unauthenticated
            ? (StatusCode)number
            : StatusCode.Unknown;
}
