// SPDX-License-Identifier: Apache-2.0
using System.Threading.Tasks;
using Grpc.Core;
using Grpc.Health.V1;
using ServingStatus = Grpc.Health.V1.HealthCheckResponse.Types.ServingStatus;

namespace Muster.Server.Endpoint;

/// <summary>grpc.health.v1 over a <see cref="HealthBoard"/>, for load balancers and probes that know only the
/// standard.</summary>
internal sealed class HealthService(HealthBoard board) : Health.HealthBase
{
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context)
    {
        if (board.Look(request.Service, out _) is not { } serving)
        {
            throw new RpcException(new Status(StatusCode.NotFound, "This server has no such service."));
        }

        return Task.FromResult(new HealthCheckResponse { Status = Of(serving) });
    }

    public override async Task Watch(
        HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        ServingStatus? told = null;
        while (true)
        {
            var serving = board.Look(request.Service, out var changed);
            var status = serving is { } known ? Of(known) : ServingStatus.ServiceUnknown;
            if (status != told)
            {
                await responseStream.WriteAsync(new HealthCheckResponse { Status = status }).ConfigureAwait(false);
                told = status;
            }

            await changed.WaitAsync(context.CancellationToken).ConfigureAwait(false);
        }
    }

    private static ServingStatus Of(bool serving) => serving ? ServingStatus.Serving : ServingStatus.NotServing;
}
