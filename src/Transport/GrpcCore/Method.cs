// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>
/// A method of a service with the codecs of its messages. Immutable; one object per method and process.
/// </summary>
internal class Method<TRequest, TResponse>(
    MethodType type,
    string serviceName,
    string name,
    Marshaller<TRequest> requestMarshaller,
    Marshaller<TResponse> responseMarshaller) : IMethod
{
    public MethodType Type { get; } = type;

    public string ServiceName { get; } = serviceName;

    public string Name { get; } = name;

    public Marshaller<TRequest> RequestMarshaller { get; } = requestMarshaller;

    public Marshaller<TResponse> ResponseMarshaller { get; } = responseMarshaller;

    public string FullName { get; } = "/" + serviceName + "/" + name;
}
