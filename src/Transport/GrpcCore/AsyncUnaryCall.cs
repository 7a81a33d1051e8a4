// SPDX-License-Identifier: Apache-2.0
using System;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>A call of one request and one response. Disposing it cancels what is still going on.</summary>
internal sealed class AsyncUnaryCall<TResponse>(
    Task<TResponse> responseAsync,
    Func<object, Task<Metadata>> responseHeadersAsync,
    Func<object, Status> getStatusFunc,
    Func<object, Metadata> getTrailersFunc,
    Action<object> disposeAction,
    object state) : IDisposable
{
    private readonly AsyncCallState _call =
        new(responseHeadersAsync, getStatusFunc, getTrailersFunc, disposeAction, state);

    public AsyncUnaryCall(
        Task<TResponse> responseAsync,
        Task<Metadata> responseHeadersAsync,
        Func<Status> getStatusFunc,
        Func<Metadata> getTrailersFunc,
        Action disposeAction)
        : this(
            responseAsync,
            _ => responseHeadersAsync,
            _ => getStatusFunc(),
            _ => getTrailersFunc(),
            _ => disposeAction(),
            responseHeadersAsync)
    {
    }

    /// <summary>The response, or the error of the call.</summary>
    public Task<TResponse> ResponseAsync { get; } = responseAsync;

    /// <summary>Lets the call itself be awaited for its response.</summary>
    public TaskAwaiter<TResponse> GetAwaiter() => ResponseAsync.GetAwaiter();

    public ConfiguredTaskAwaitable<TResponse> ConfigureAwait(bool continueOnCapturedContext) =>
        ResponseAsync.ConfigureAwait(continueOnCapturedContext);

    /// <summary>Ends with the response headers, or with the error when the call fails before them.</summary>
    public Task<Metadata> ResponseHeadersAsync => _call.ResponseHeadersAsync;

    /// <summary>The status of a finished call; throws before its end.</summary>
    public Status GetStatus() => _call.GetStatus();

    /// <summary>The trailers of a finished call; throws before its end.</summary>
    public Metadata GetTrailers() => _call.GetTrailers();

    /// <summary>Cancels the call if it is still going on.</summary>
    public void Dispose() => _call.Dispose();
}
