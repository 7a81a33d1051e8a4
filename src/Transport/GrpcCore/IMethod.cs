// SPDX-License-Identifier: Apache-2.0
namespace Grpc.Core;

/// <summary>A method without its message types.</summary>
internal interface IMethod
{
    MethodType Type { get; }

    string ServiceName { get; }

    string Name { get; }

    /// <summary>The path on the wire: slash, service, slash, name.</summary>
    string FullName { get; }
}
