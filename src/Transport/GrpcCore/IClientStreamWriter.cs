// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;

namespace Grpc.Core;

/// <summary>The request stream of a call at its client.</summary>
internal interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Ends the request stream; the response stream goes on.</summary>
    Task CompleteAsync();
}
