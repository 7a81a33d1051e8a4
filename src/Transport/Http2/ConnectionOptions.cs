// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Transport.Http2;

/// <summary>How a connection behaves. Checked by whoever makes it.</summary>
internal sealed record ConnectionOptions
{
    /// <summary>Bytes of unread DATA that one stream may hold.</summary>
    public int StreamWindowBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of DATA that may be under way on the whole connection.</summary>
    public int ConnectionWindowBytes { get; init; } = 16 << 20;

    /// <summary>Most bytes of one response's headers or trailers, counted as RFC 9113 does.</summary>
    public int HeaderListBytesMax { get; init; } = 16_384;

    /// <summary>Silence after which the server is asked whether it lives. Null: never.</summary>
    public TimeSpan? KeepAliveInterval { get; init; }

    /// <summary>How long it may take to answer.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(20);

    public TimeProvider Time { get; init; } = TimeProvider.System;
}
