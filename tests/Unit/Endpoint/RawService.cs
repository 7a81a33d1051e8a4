// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;

namespace Muster.Unit.Endpoint;

/// <summary>Services of one method whose messages stay bytes, for tests of what lies below the messages.</summary>
internal static class RawService
{
    public static readonly Method<RawMessage, RawMessage> Unary = Of(MethodType.Unary);

    public static readonly Method<RawMessage, RawMessage> Duplex = Of(MethodType.DuplexStreaming);

    public static ServerServiceDefinition Answering(UnaryServerMethod<RawMessage, RawMessage> handler) =>
        ServerServiceDefinition.CreateBuilder().AddMethod(Unary, handler).Build();

    public static ServerServiceDefinition Conversing(DuplexStreamingServerMethod<RawMessage, RawMessage> handler) =>
        ServerServiceDefinition.CreateBuilder().AddMethod(Duplex, handler).Build();

    public static Task<RawMessage> EchoAsync(RawMessage request, ServerCallContext context) => Task.FromResult(request);

    private static Method<RawMessage, RawMessage> Of(MethodType type) =>
        new(type, "muster.test.Raw", type.ToString(), RawMethods.RawMarshaller, RawMethods.RawMarshaller);
}
