// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Serves a call of many requests and one response.</summary>
internal delegate Task<TResponse> ClientStreamingServerMethod<TRequest, TResponse>(
    IAsyncStreamReader<TRequest> requestStream, ServerCallContext context)
    where TRequest : class
    where TResponse : class;
