// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;

namespace Grpc.Core;

/// <summary>Names the method that binds a generated service base.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class BindServiceMethodAttribute(
    [DynamicallyAccessedMembers(BindServiceMethodAttribute.Members)] Type bindType, string bindMethodName) : Attribute
{
    private const DynamicallyAccessedMemberTypes Members = DynamicallyAccessedMemberTypes.PublicMethods
        | DynamicallyAccessedMemberTypes.NonPublicMethods;

    [DynamicallyAccessedMembers(Members)]
    public Type BindType { get; } = bindType;

    public string BindMethodName { get; } = bindMethodName;
}
