// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Xunit;

namespace Muster.Unit.Transport;

/// <summary>Calls with plain bytes as messages.</summary>
internal static class Calls
{
    private static readonly Marshaller<byte[]> s_bytes = Marshallers.Create<byte[]>(b => b, b => b);

    public static Method<byte[], byte[]> UnaryMethod { get; } = Method(MethodType.Unary);

    public static AsyncUnaryCall<byte[]> Unary(
        this GrpcChannel channel, byte[] request, CallOptions options = default) =>
        channel.CreateCallInvoker().AsyncUnaryCall(Method(MethodType.Unary), null, options, request);

    public static AsyncDuplexStreamingCall<byte[], byte[]> Duplex(
        this GrpcChannel channel, CallOptions options = default) =>
        channel.CreateCallInvoker().AsyncDuplexStreamingCall(Method(MethodType.DuplexStreaming), null, options);

    public static AsyncServerStreamingCall<byte[]> Down(
        this GrpcChannel channel, byte[] request, CallOptions options = default) =>
        channel.CreateCallInvoker().AsyncServerStreamingCall(
            Method(MethodType.ServerStreaming), null, options, request);

    public static AsyncClientStreamingCall<byte[], byte[]> Up(
        this GrpcChannel channel, CallOptions options = default) =>
        channel.CreateCallInvoker().AsyncClientStreamingCall(Method(MethodType.ClientStreaming), null, options);

    /// <summary>Connects the channel and gives the server's end, for calls to be made on it.</summary>
    public static async Task<FakeConnection> ConnectWith(
        this GrpcChannel channel, FakeServer server, params (int Id, uint Value)[] settings)
    {
        var connect = channel.ConnectAsync();
        var connection = await server.AcceptAsync(settings);
        await connect.Soon();
        return connection;
    }

    /// <summary>Waits for the call to fail and gives how.</summary>
    public static async Task<RpcException> Failure(Task call) =>
        await Assert.ThrowsAsync<RpcException>(() => call.WaitAsync(FakeServer.Patience));

    public static async Task<T> Soon<T>(this Task<T> task) => await task.WaitAsync(FakeServer.Patience);

    public static async Task Soon(this Task task) => await task.WaitAsync(FakeServer.Patience);

    private static Method<byte[], byte[]> Method(MethodType type) =>
        new(type, "test.Fake", $"{type}", s_bytes, s_bytes);
}
