// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Reflection.V1Alpha;

namespace Muster.Server.Endpoint;

/// <summary>
/// grpc.reflection.v1alpha, which older tools still ask first. Its messages have the same fields as v1's, so a request
/// is read as one of v1, answered there, and written back.
/// </summary>
internal sealed class ReflectionAlphaService(Lazy<DescriptorIndex> index) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(default).ConfigureAwait(false))
        {
            var request = Grpc.Reflection.V1.ServerReflectionRequest.Parser.ParseFrom(
                requestStream.Current.ToByteString());
            var response = ReflectionService.Answer(index.Value, request);
            await responseStream.WriteAsync(ServerReflectionResponse.Parser.ParseFrom(response.ToByteString()))
                .ConfigureAwait(false);
        }
    }
}
