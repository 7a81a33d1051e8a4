// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>Which side of a call sends a stream.</summary>
internal enum MethodType
{
    Unary,
    ClientStreaming,
    ServerStreaming,
    DuplexStreaming,
}
