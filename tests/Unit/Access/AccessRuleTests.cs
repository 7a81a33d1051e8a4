// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using Google.Protobuf.Reflection;
using Muster.Server.Endpoint.Access;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>Every method that a server of ours can have has a rule, and there is none for a method that is not.
/// </summary>
public class AccessRuleTests
{
    private static readonly FileDescriptor[] s_files =
    [
        AdminReflection.Descriptor, DispatchReflection.Descriptor, IdentityReflection.Descriptor,
        RegistryReflection.Descriptor, SubmissionReflection.Descriptor, TypesReflection.Descriptor,
        Grpc.Health.V1.Health.Descriptor.File, Grpc.Reflection.V1.ServerReflection.Descriptor.File,
        Grpc.Reflection.V1Alpha.ServerReflection.Descriptor.File,
    ];

    public static IEnumerable<string> Methods => s_files
        .SelectMany(file => file.Services)
        .SelectMany(service => service.Methods)
        .Select(method => $"/{method.Service.FullName}/{method.Name}");

    [Fact]
    public void Rules_AndMethodsOfTheContract_AreTheSame() =>
        Assert.Equal(Methods.Order(), AccessRules.Methods.Order());

    [Fact]
    public void Files_OfTheContract_AreAllLookedAt()
    {
        var types = typeof(AdminReflection).Assembly.GetTypes()
            .Where(type => type.Namespace == "Muster.V1"
                && type.Name.EndsWith("Reflection", System.StringComparison.Ordinal));
        Assert.Equal(types.Count(), s_files.Count(file => file.Package == "muster.v1"));
    }

    [Fact]
    public void Rules_OpenToStrangers_AreThatOfTheAuthorityAlone() => Assert.Equal(
        ["/muster.v1.IdentityService/GetAuthority"], AccessRules.Methods.Where(each => AccessRules.Find(each)!.IsOpen));
}
