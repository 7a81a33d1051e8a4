// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>Serves a call of one request and one response.</summary>
internal delegate Task<TResponse> UnaryServerMethod<TRequest, TResponse>(TRequest request, ServerCallContext context)
    where TRequest : class
    where TResponse : class;
