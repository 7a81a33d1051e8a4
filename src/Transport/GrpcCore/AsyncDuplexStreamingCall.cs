// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>
/// A call of many requests and many responses, in any order. Disposing it cancels what is still going on.
/// </summary>
internal sealed class AsyncDuplexStreamingCall<TRequest, TResponse>(
    IClientStreamWriter<TRequest> requestStream,
    IAsyncStreamReader<TResponse> responseStream,
    Func<object, Task<Metadata>> responseHeadersAsync,
    Func<object, Status> getStatusFunc,
    Func<object, Metadata> getTrailersFunc,
    Action<object> disposeAction,
    object state) : IDisposable
{
    private readonly AsyncCallState _call =
        new(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);

    public AsyncDuplexStreamingCall(
        IClientStreamWriter<TRequest> requestStream,
        IAsyncStreamReader<TResponse> responseStream,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
        : this(
            requestStream, responseStream,
            _ => responseHeadersAsync,
            _ => getStatusFunc(),
            _ => getTrailersFunc(),
            _ => disposeAction(),
            responseHeadersAsync)
    {
    }

    /// <summary>Takes the requests.</summary>
    public IClientStreamWriter<TRequest> RequestStream { get; } = requestStream;

    /// <summary>Gives the responses.</summary>
    public IAsyncStreamReader<TResponse> ResponseStream { get; } = responseStream;

    /// <summary>Ends with the response headers, or with the error when the call fails before them.</summary>
    public Task<Metadata> ResponseHeadersAsync => _call.ResponseHeadersAsync;

    /// <summary>The status of a finished call; throws before its end.</summary>
    public Status GetStatus() => _call.GetStatus();

    /// <summary>The trailers of a finished call; throws before its end.</summary>
    public Metadata GetTrailers() => _call.GetTrailers();

    /// <summary>Cancels the call if it is still going on.</summary>
    public void Dispose() => _call.Dispose();
}
