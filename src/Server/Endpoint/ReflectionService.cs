// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Reflection.V1;

namespace Muster.Server.Endpoint;

/// <summary>grpc.reflection.v1: lets tools like grpcurl call this server without its proto files.</summary>
internal sealed class ReflectionService(Lazy<DescriptorIndex> index) : ServerReflection.ServerReflectionBase
{
    public override async Task ServerReflectionInfo(
        IAsyncStreamReader<ServerReflectionRequest> requestStream,
        IServerStreamWriter<ServerReflectionResponse> responseStream,
        ServerCallContext context)
    {
        while (await requestStream.MoveNext(default).ConfigureAwait(false))
        {
            await responseStream.WriteAsync(Answer(index.Value, requestStream.Current)).ConfigureAwait(false);
        }
    }

    public static ServerReflectionResponse Answer(DescriptorIndex index, ServerReflectionRequest request)
    {
        var response = new ServerReflectionResponse { ValidHost = request.Host, OriginalRequest = request };
        switch (request.MessageRequestCase)
        {
            case ServerReflectionRequest.MessageRequestOneofCase.ListServices:
                response.ListServicesResponse = new ListServiceResponse();
                foreach (var name in index.Services)
                {
                    response.ListServicesResponse.Service.Add(new ServiceResponse { Name = name });
                }

                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileByFilename:
                AddFile(response, index.FileByName(request.FileByFilename));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingSymbol:
                AddFile(response, index.FileOfSymbol(request.FileContainingSymbol));
                break;
            case ServerReflectionRequest.MessageRequestOneofCase.FileContainingExtension:
            case ServerReflectionRequest.MessageRequestOneofCase.AllExtensionNumbersOfType:
                AddError(response, StatusCode.NotFound, "This server's messages have no extensions.");
                break;
            default:
                AddError(response, StatusCode.InvalidArgument, "The request asks for nothing.");
                break;
        }

        return response;
    }

    private static void AddFile(ServerReflectionResponse response, FileDescriptor? file)
    {
        if (file is null)
        {
            AddError(response, StatusCode.NotFound, "This server has no such file or symbol.");
            return;
        }

        response.FileDescriptorResponse = new FileDescriptorResponse();
        foreach (var each in DescriptorIndex.WithImports(file))
        {
            response.FileDescriptorResponse.FileDescriptorProto.Add(each.SerializedData);
        }
    }

    private static void AddError(ServerReflectionResponse response, StatusCode code, string message) =>
        response.ErrorResponse = new ErrorResponse { ErrorCode = (int)code, ErrorMessage = message };
}
