// SPDX-License-Identifier: Apache-2.0
using Muster.Transport.Http2;

namespace Muster.Unit.Http2;

/// <summary>What a server must do with what a case sends.</summary>
internal sealed record Verdict
{
    /// <summary>The connection goes on: a PING is answered.</summary>
    public static readonly Verdict Alive = new();

    /// <summary>The connection ends with this code.</summary>
    public Http2ErrorCode? GoAway { get; private init; }

    /// <summary>This stream ends with <see cref="Code"/>, and the connection goes on.</summary>
    public int Stream { get; private init; }

    public Http2ErrorCode? Code { get; private init; }

    /// <summary>The stream is answered with this gRPC status.</summary>
    public string? Status { get; private init; }

    /// <summary>The connection is given up.</summary>
    public static Verdict Connection(Http2ErrorCode code) => new() { GoAway = code };

    /// <summary>The stream is reset.</summary>
    public static Verdict Reset(int stream, Http2ErrorCode code) => new() { Stream = stream, Code = code };

    /// <summary>The stream is answered.</summary>
    public static Verdict Answered(int stream, string status = "0") => new() { Stream = stream, Status = status };
}
