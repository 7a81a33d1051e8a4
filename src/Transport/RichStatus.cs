// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;

namespace Muster.Transport;

/// <summary>
/// The error model of google.rpc in the trailer grpc-status-details-bin: a stable reason with its domain, and for
/// overload the time after which to try again. Servers make the exception to throw; clients read it. Immutable.
/// </summary>
internal sealed class RichStatus
{
    public const string TrailerName = "grpc-status-details-bin";

    private const string TypePrefix = "type.googleapis.com";

    private readonly Google.Rpc.Status _status;

    private RichStatus(Google.Rpc.Status status)
    {
        _status = status;
        Error = Find(ErrorInfo.Parser, "google.rpc.ErrorInfo");
        var delay = Find(RetryInfo.Parser, "google.rpc.RetryInfo")?.RetryDelay;
        RetryAfter = delay is null ? null : Clamp(delay);
        BadRequest = Find(BadRequest.Parser, "google.rpc.BadRequest");
    }

    public StatusCode Code => (StatusCode)_status.Code;

    public string Message => _status.Message;

    /// <summary>The stable code of the failure, or null when the peer did not say one.</summary>
    public ErrorInfo? Error { get; }

    /// <summary>Not null: the same request may succeed after this time.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>Which fields were wrong, or null.</summary>
    public BadRequest? BadRequest { get; }

    /// <summary>An exception that ends a call with this status; the details ride in its trailers.</summary>
    public static RpcException ToException(
        StatusCode code, string message, string reason, string domain, TimeSpan? retryAfter = null)
    {
        var trailers = new Metadata();
        WriteTo(trailers, code, message, reason, domain, retryAfter);
        return new RpcException(new Grpc.Core.Status(code, message), trailers);
    }

    /// <summary>Adds the details trailer.</summary>
    public static void WriteTo(
        Metadata trailers, StatusCode code, string message, string reason, string domain, TimeSpan? retryAfter = null)
    {
        var status = new Google.Rpc.Status { Code = (int)code, Message = message };
        status.Details.Add(Any.Pack(new ErrorInfo { Reason = reason, Domain = domain }, TypePrefix));
        if (retryAfter is { } delay)
        {
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(delay) }, TypePrefix));
        }

        trailers.Add(TrailerName, status.ToByteArray());
    }

    public static bool TryRead(RpcException exception, [NotNullWhen(true)] out RichStatus? status) =>
        TryRead(exception.Trailers, out status);

    /// <summary>
    /// False when there is no such trailer, or its bytes are damaged: details are never worth a failure.
    /// </summary>
    public static bool TryRead(Metadata trailers, [NotNullWhen(true)] out RichStatus? status)
    {
        status = null;
        if (trailers.GetValueBytes(TrailerName) is not { } bytes)
        {
            return false;
        }

        try
        {
            status = new RichStatus(Google.Rpc.Status.Parser.ParseFrom(bytes));
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false;
        }
    }

    private static TimeSpan Clamp(Duration delay)
    {
        // A peer may send any number of seconds; a wait beyond a day is no useful advice.
        var seconds = Math.Clamp(delay.Seconds, 0, 86_400);
        var ticks = Math.Clamp(delay.Nanos, 0, 999_999_999) / TimeSpan.NanosecondsPerTick;
        return TimeSpan.FromSeconds(seconds) + TimeSpan.FromTicks(ticks);
    }

    private T? Find<T>(MessageParser<T> parser, string fullName)
        where T : class, IMessage<T>
    {
        foreach (var detail in _status.Details)
        {
            if (Any.GetTypeName(detail.TypeUrl) == fullName)
            {
                return parser.ParseFrom(detail.Value);
            }
        }

        return null;
    }
}
