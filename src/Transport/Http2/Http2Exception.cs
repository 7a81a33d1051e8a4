// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Http2;

/// <summary>The peer broke the protocol: the connection is given up with this code.</summary>
internal sealed class Http2Exception(Http2ErrorCode code, string message) : Exception(message)
{
    public Http2ErrorCode Code { get; } = code;
}
