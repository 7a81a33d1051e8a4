// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using System.Threading;
using System.Threading.Tasks;
using Grpc.Core;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Muster.Server.Endpoint;

/// <summary>
/// What Kestrel runs for each request: finds the method and starts its call. There is no middleware. A request for an
/// unknown path costs a table look-up and constant texts. Keeps the open streams, so that a stopping server can end
/// them.
/// </summary>
internal sealed class GrpcApplication(
    EndpointOptions options, FrozenDictionary<string, CallHandler> methods) : IHttpApplication<IFeatureCollection>
{
    private const string Unimplemented = "12";
    private const string UnknownMethod = "This server has no such method.";

    private readonly Lock _gate = new();
    private readonly HashSet<IOutboxCall> _streams = [];
    private volatile bool _stopping;

    public EndpointOptions Options { get; } = options;

    public ILogger Logger { get; } = options.Logs.CreateLogger("Muster.Server.Endpoint");

    /// <summary>Streams that are open now.</summary>
    public int StreamCount
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count;
            }
        }
    }

    public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

    public Task ProcessRequestAsync(IFeatureCollection context)
    {
        var request = context.Get<IHttpRequestFeature>()!;
        var response = context.Get<IHttpResponseFeature>()!;
        if (request.Method != HttpMethods.Post)
        {
            response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            return Task.CompletedTask;
        }

        if (!IsGrpc(request.Headers.ContentType.ToString()))
        {
            response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
            return Task.CompletedTask;
        }

        response.Headers["grpc-accept-encoding"] = "identity";
        if (!methods.TryGetValue(request.Path, out var method))
        {
            response.Headers.ContentType = CallEnd.ContentType;
            response.Headers["grpc-status"] = Unimplemented;
            response.Headers["grpc-message"] = UnknownMethod;
            return Task.CompletedTask;
        }

        if (_stopping)
        {
            var refusal = FaultStatus.ToException(CallFailures.Stopping);
            CallEnd.Write(context, refusal.Status, refusal.Trailers);
            return Task.CompletedTask;
        }

        return method.RunAsync(context, this);
    }

    public void DisposeContext(IFeatureCollection context, Exception? exception)
    {
        // The features are Kestrel's, and a call cleans up after itself.
    }

    /// <summary>Refuses new calls from now on and ends every open stream as a server that is stopping.</summary>
    public void Stop()
    {
        IOutboxCall[] open;
        lock (_gate)
        {
            _stopping = true;
            open = [.. _streams];
        }

        foreach (var call in open)
        {
            call.EndWith(FaultStatus.ToException(CallFailures.Stopping));
        }
    }

    public void Add(IOutboxCall call)
    {
        bool late;
        lock (_gate)
        {
            _streams.Add(call);
            late = _stopping;
        }

        if (late)
        {
            call.EndWith(FaultStatus.ToException(CallFailures.Stopping));
        }
    }

    public void Remove(IOutboxCall call)
    {
        lock (_gate)
        {
            _streams.Remove(call);
        }
    }

    // application/grpc, or application/grpc+proto and the like; not application/grpc-web.
    private static bool IsGrpc(string contentType) =>
        contentType.StartsWith(CallEnd.ContentType, StringComparison.OrdinalIgnoreCase)
        && (contentType.Length == CallEnd.ContentType.Length || contentType[CallEnd.ContentType.Length] is '+' or ';');
}
