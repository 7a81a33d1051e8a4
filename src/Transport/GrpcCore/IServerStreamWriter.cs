// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>The response stream of a call at its server. It ends when the handler returns.</summary>
internal interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>;
