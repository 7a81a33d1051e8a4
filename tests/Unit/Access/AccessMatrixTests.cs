// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Transport;
using Muster.Transport.Wire;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>Every method as every role and as those who must not be served at all. What is expected is written down
/// here by itself, not read from the rules.</summary>
public class AccessMatrixTests(AccessCell cell) : IClassFixture<AccessCell>
{
    private const string Clients = "submit read cancel retry operate admin";

    private static readonly string[] s_roles = ["submit", "read", "cancel", "retry", "operate", "admin", "work"];

    private static readonly Dictionary<string, string> s_allowed = new()
    {
        ["/muster.v1.SubmissionService/SubmitTask"] = "submit admin",
        ["/muster.v1.SubmissionService/SubmitTasks"] = "submit admin",
        ["/muster.v1.SubmissionService/Session"] = "submit admin",
        ["/muster.v1.SubmissionService/AwaitTask"] = "submit read operate admin",
        ["/muster.v1.SubmissionService/CancelTasks"] = "cancel operate admin",
        ["/muster.v1.SubmissionService/ReleaseTasks"] = "submit operate admin",
        ["/muster.v1.AdminService/GetCell"] = "read operate admin",
        ["/muster.v1.AdminService/GetTask"] = "submit read operate admin",
        ["/muster.v1.AdminService/ListTasks"] = "submit read operate admin",
        ["/muster.v1.AdminService/ListWorkers"] = "read operate admin",
        ["/muster.v1.AdminService/RetryTasks"] = "retry operate admin",
        ["/muster.v1.RegistryService/RegisterClient"] = Clients,
        ["/muster.v1.RegistryService/Heartbeat"] = "work admin",
        ["/muster.v1.DispatchService/Dispatch"] = "work admin",
        ["/muster.v1.IdentityService/GetAuthority"] = Clients + " work",
        ["/muster.v1.IdentityService/GetIdentity"] = Clients + " work",
        ["/muster.v1.IdentityService/Enroll"] = Clients + " work",
        ["/grpc.health.v1.Health/Check"] = Clients + " work",
        ["/grpc.health.v1.Health/List"] = Clients + " work",
        ["/grpc.health.v1.Health/Watch"] = Clients + " work",
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = Clients + " work",
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = Clients + " work",
    };

    public static TheoryData<string> Methods => new(AccessRuleTests.Methods);

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Method_AsEachRole_IsServedOrDenied(string method)
    {
        var allowed = s_allowed[method].Split(' ');
        foreach (var role in s_roles)
        {
            var (status, reason) = await CallAsync(cell.As(role), method);

            if (allowed.Contains(role))
            {
                Assert.False(
                    status is StatusCode.PermissionDenied or StatusCode.Unauthenticated, $"{role}: {status} {reason}");
            }
            else
            {
                Assert.Equal((role, StatusCode.PermissionDenied, "PERMISSION_DENIED"), (role, status, reason));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Method_WithoutAGoodCredential_IsRefusedWithTheReason(string method)
    {
        (string? Identity, string Code)[] strangers =
        [
            (null, "CREDENTIAL_MISSING"), ("garbage", "CREDENTIAL_INVALID"), ("unknown", "CREDENTIAL_INVALID"),
            ("expired", "CREDENTIAL_EXPIRED"), ("revoked", "CREDENTIAL_REVOKED"),
        ];
        foreach (var (identity, code) in strangers)
        {
            var (status, reason) = await CallAsync(cell.As(identity), method);

            if (method.EndsWith("/GetAuthority", StringComparison.Ordinal))
            {
                Assert.Equal(StatusCode.OK, status);
            }
            else
            {
                Assert.Equal((identity, StatusCode.Unauthenticated, code), (identity, status, reason));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public async Task Method_OnAnotherQueueOrPool_IsDeniedOrHeardForThatAlone(string method)
    {
        var (status, _) = await CallAsync(cell.As("elsewhere"), method);

        // Whoever may submit somewhere is heard, and refused when it names the queue; the rest is of this one's.
        string[] heard =
        [
            "/muster.v1.SubmissionService/SubmitTask", "/muster.v1.SubmissionService/SubmitTasks",
            "/muster.v1.SubmissionService/Session", "/muster.v1.RegistryService/RegisterClient",
        ];
        var isOpen = s_allowed[method].EndsWith(" work", StringComparison.Ordinal);
        if (method.Contains("/SubmitTask", StringComparison.Ordinal) || !(isOpen || heard.Contains(method)))
        {
            Assert.Equal(StatusCode.PermissionDenied, status);
        }
        else
        {
            Assert.NotEqual(StatusCode.PermissionDenied, status);
        }
    }

    [Fact]
    public async Task UnknownMethod_IsAnsweredToWhoIsKnownOnly()
    {
        const string Method = "/muster.v1.SubmissionService/Nothing";

        Assert.Equal(StatusCode.Unauthenticated, (await CallAsync(cell.As(null), Method)).Status);
        Assert.Equal(StatusCode.PermissionDenied, (await CallAsync(cell.As("admin"), Method)).Status);
        Assert.Equal(StatusCode.Unimplemented, (await CallAsync(cell.As("local"), Method)).Status);
    }

    // Sends an empty message and takes the first answer.
    private static async Task<(StatusCode Status, string? Reason)> CallAsync(CallInvoker invoker, string method)
    {
        var names = method.Split('/');
        var type = names[2] switch
        {
            "Session" or "Heartbeat" or "Dispatch" or "ServerReflectionInfo" => MethodType.DuplexStreaming,
            "Watch" => MethodType.ServerStreaming,
            _ => MethodType.Unary,
        };
        var called = new Method<RawMessage, RawMessage>(
            type, names[1], names[2], RawMethods.RawMarshaller, RawMethods.RawMarshaller);
        var options = new CallOptions(deadline: DateTime.UtcNow.AddSeconds(20));
        try
        {
            switch (type)
            {
                case MethodType.Unary:
                    (await invoker.AsyncUnaryCall(called, null, options, RawMessage.Copy([]))).Dispose();
                    break;
                case MethodType.ServerStreaming:
                    using (var watch = invoker.AsyncServerStreamingCall(called, null, options, RawMessage.Copy([])))
                    {
                        await watch.ResponseStream.MoveNext(default);
                    }

                    break;
                default:
                    using (var stream = invoker.AsyncDuplexStreamingCall(called, null, options))
                    {
                        await stream.RequestStream.WriteAsync(RawMessage.Copy([]));
                        await stream.ResponseStream.MoveNext(default);
                    }

                    break;
            }

            return (StatusCode.OK, null);
        }
        catch (RpcException failure)
        {
            return (failure.StatusCode, RichStatus.TryRead(failure, out var details) ? details.Error?.Reason : null);
        }
    }
}
