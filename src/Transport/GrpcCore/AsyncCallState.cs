// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>The part that all call objects share: how to ask the call for its headers, status and trailers.</summary>
internal readonly struct AsyncCallState(
    Func<object, Task<Metadata>> responseHeaders,
    Func<object, Status> status,
    Func<object, Metadata> trailers,
    Action<object> dispose,
    object state)
{
    public Task<Metadata> ResponseHeadersAsync => responseHeaders(state);

    public Status GetStatus() => status(state);

    public Metadata GetTrailers() => trailers(state);

    public void Dispose() => dispose(state);
}
