// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Serves a call of many requests and many responses.</summary>
internal delegate Task DuplexStreamingServerMethod<TRequest, TResponse>(
    IAsyncStreamReader<TRequest> requestStream,
    IServerStreamWriter<TResponse> responseStream,
    ServerCallContext context)
    where TRequest : class
    where TResponse : class;
