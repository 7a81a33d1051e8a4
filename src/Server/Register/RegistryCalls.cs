// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Core;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.Server.PlmHosting;
using Muster.Transport;
using Muster.Transport.Wire;
using Muster.V1;

namespace Muster.Server.RegisterHosting;

/// <summary>RegistryService: clients by the generated classes, workers' streams as bytes.</summary>
internal sealed class RegistryCalls(RegisterHost host, int outboxBytesMax) : RegistryService.RegistryServiceBase
{
    /// <summary>The service with its workers' stream left as bytes.</summary>
    public static ServerServiceDefinition Bind(RegisterHost host, int outboxBytesMax)
    {
        var calls = new RegistryCalls(host, outboxBytesMax);
        var methods = ServerServiceDefinition.CreateBuilder();
        RegistryService.BindService(new UnaryBinder(methods), calls);
        return methods.AddMethod(RawMethods.Heartbeat, calls.Serve).Build();
    }

    public override Task<RegisterClientResponse> RegisterClient(
        RegisterClientRequest request, ServerCallContext context)
    {
        FaultStatus.ThrowIfFault(WireVersions.Check(request.WireVersion));
        var addresses = CellFront.ReachableBy(host.PlmAddresses(), Caller.Of(context), context.Host);
        if (addresses.Length == 0)
        {
            throw FaultStatus.ToException(new(
                FaultCode.Unavailable,
                "this cell has no PLM yet that can be reached from here; try again in a moment, or start it with "
                + "--bind",
                RetryAfterMs: 200));
        }

        var response = new RegisterClientResponse { ClientId = NewId(), CellId = CellIdentity.Of(host.Arena) };
        response.PlmAddresses.AddRange(addresses);
        return Task.FromResult(response);
    }

    private static ulong NewId()
    {
        // Of 2^64, so that no two clients of a cell ever get the same one; 0 means none.
        System.Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ulong id;
        do
        {
            RandomNumberGenerator.Fill(bytes);
            id = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        }
        while (id == 0);
        return id;
    }

    private Task Serve(
        IAsyncStreamReader<RawMessage> requests,
        IServerStreamWriter<RawMessage> responses,
        ServerCallContext context) =>
        new HeartbeatStream(host, context, outboxBytesMax).ServeAsync(requests, context);

    /// <summary>Passes the generated unary methods on and leaves the stream out.</summary>
    private sealed class UnaryBinder(ServerServiceDefinition.Builder methods) : ServiceBinderBase
    {
        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, UnaryServerMethod<TRequest, TResponse>? handler) =>
            methods.AddMethod(method, handler!);

        public override void AddMethod<TRequest, TResponse>(
            Method<TRequest, TResponse> method, DuplexStreamingServerMethod<TRequest, TResponse>? handler) =>
            Invariant.That(method.FullName == RawMethods.Heartbeat.FullName);
    }
}
