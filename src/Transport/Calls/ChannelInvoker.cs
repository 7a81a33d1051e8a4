// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Grpc.Core;

namespace Muster.Transport.Calls;

/// <summary>Starts calls on a channel. Safe for any thread.</summary>
internal sealed class ChannelInvoker(GrpcChannel channel) : CallInvoker
{
    private static readonly Func<object, Task<Metadata>> s_headers =
        static call => ((ClientCall)call).ResponseHeadersAsync;
    private static readonly Func<object, Status> s_status = static call => ((ClientCall)call).GetStatus();
    private static readonly Func<object, Metadata> s_trailers = static call => ((ClientCall)call).GetTrailers();
    private static readonly Action<object> s_dispose = static call => ((ClientCall)call).Cancel();

    public override TResponse BlockingUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        if (channel.IsOnReceiveLoop)
        {
            throw new InvalidOperationException(
                "A blocking call was made from a continuation that runs on the receive loop: it could never end.");
        }

        return Start(method, options, request).ResponseAsync.GetAwaiter().GetResult();
    }

    public override AsyncUnaryCall<TResponse> AsyncUnaryCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Start(method, options, request);
        return new(call.ResponseAsync, s_headers, s_status, s_trailers, s_dispose, call);
    }

    public override AsyncServerStreamingCall<TResponse> AsyncServerStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options, TRequest request)
    {
        var call = Start(method, options, request);
        return new(call, s_headers, s_status, s_trailers, s_dispose, call);
    }

    public override AsyncClientStreamingCall<TRequest, TResponse> AsyncClientStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new TypedCall<TRequest, TResponse>(channel, method, options);
        call.StartStreaming();
        return new(call, call.ResponseAsync, s_headers, s_status, s_trailers, s_dispose, call);
    }

    public override AsyncDuplexStreamingCall<TRequest, TResponse> AsyncDuplexStreamingCall<TRequest, TResponse>(
        Method<TRequest, TResponse> method, string? host, CallOptions options)
    {
        var call = new TypedCall<TRequest, TResponse>(channel, method, options);
        call.StartStreaming();
        return new(call, call, s_headers, s_status, s_trailers, s_dispose, call);
    }

    private TypedCall<TRequest, TResponse> Start<TRequest, TResponse>(
        Method<TRequest, TResponse> method, in CallOptions options, TRequest request)
        where TRequest : class
        where TResponse : class
    {
        var call = new TypedCall<TRequest, TResponse>(channel, method, options);
        call.StartWith(request);
        return call;
    }
}
