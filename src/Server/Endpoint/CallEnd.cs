// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Muster.Transport.Protocol;

namespace Muster.Server.Endpoint;

/// <summary>
/// Writes how a call ends. As long as nothing was sent this is a trailers-only answer: the status rides in the response
/// headers, which are then the last frame too.
/// </summary>
internal static class CallEnd
{
    public const string ContentType = "application/grpc";
    private const int CodedMessageBytesMax = 4 * 1024;

    // One character of text takes at most this many once it is UTF-8 written as %XX.
    private const int CodedBytesPerCharMax = 9;

    public static void Write(IFeatureCollection features, in Status status, Metadata? trailers)
    {
        var response = features.Get<IHttpResponseFeature>()!;
        var fields = response.Headers;
        if (response.HasStarted)
        {
            fields = features.Get<IHttpResponseTrailersFeature>()!.Trailers;
        }
        else
        {
            fields.ContentType = ContentType;
        }

        var shown = status;
        if (trailers is { Count: > 0 })
        {
            try
            {
                MetadataFields.Write(fields, trailers);
            }
            catch (InvalidOperationException e)
            {
                // The handler set a trailer that HTTP/2 cannot carry; the client learns that instead of nothing.
                shown = new Status(StatusCode.Internal, e.Message);
            }
        }

        fields["grpc-status"] = CodeText(shown.StatusCode);
        if (shown.Detail.Length > 0)
        {
            fields["grpc-message"] = MessageText(shown.Detail);
        }
    }

    private static string CodeText(StatusCode code) =>
        code == StatusCode.OK ? "0" : ((int)code).ToString(CultureInfo.InvariantCulture);

    // Clients refuse header blocks beyond 8 KiB, and then nobody would see the status itself.
    private static string MessageText(string detail)
    {
        var coded = PercentCoding.Encode(detail);
        return coded.Length <= CodedMessageBytesMax
            ? coded
            : PercentCoding.Encode(detail[..Math.Min(detail.Length, CodedMessageBytesMax / CodedBytesPerCharMax)]);
    }
}
