// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Muster.Server.Endpoint;

/// <summary>One method that is served: makes the call object and runs it. Immutable, any thread.</summary>
internal abstract class CallHandler(string fullName, MethodType type)
{
    public string FullName { get; } = fullName;

    public MethodType Type { get; } = type;

    /// <summary>Several messages go at least one way, so the call may last as long as it likes.</summary>
    public bool IsStreaming => Type != MethodType.Unary;

    public abstract Task RunAsync(IFeatureCollection features, GrpcApplication application);
}

/// <inheritdoc/>
internal sealed class CallHandler<TRequest, TResponse>(
    Method<TRequest, TResponse> method, Func<GrpcCall<TRequest, TResponse>, Task> serve)
    : CallHandler(method.FullName, method.Type)
    where TRequest : class
    where TResponse : class
{
    public Method<TRequest, TResponse> Method => method;

    public override Task RunAsync(IFeatureCollection features, GrpcApplication application) =>
        new GrpcCall<TRequest, TResponse>(this, features, application).RunAsync();

    public Task ServeAsync(GrpcCall<TRequest, TResponse> call) => serve(call);
}
