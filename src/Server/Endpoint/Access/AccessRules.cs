// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Frozen;
using System.Collections.Generic;
using Muster.Identity.Credentials;

namespace Muster.Server.Endpoint.Access;

/// <summary>
/// The rule of every method, in one place. A method without one is refused to everybody but the cell's own user, and a
/// test compares this table with the descriptors, so that a new method needs a decision here.
/// </summary>
internal static class AccessRules
{
    private const Rights Client = Rights.Submit | Rights.Read | Rights.Cancel | Rights.Retry | Rights.Operate;

    private static readonly AccessRule s_anyIdentity = new(Rights.None);

    private static readonly FrozenDictionary<string, AccessRule> s_rules = new Dictionary<string, AccessRule>
    {
        ["/muster.v1.SubmissionService/SubmitTask"] = new(Rights.Submit, IsForOneQueue: true),
        ["/muster.v1.SubmissionService/SubmitTasks"] = new(Rights.Submit, IsForOneQueue: true),
        ["/muster.v1.SubmissionService/AwaitTask"] = new(Rights.Submit | Rights.Read, Rights.Read),
        ["/muster.v1.SubmissionService/CancelTasks"] = new(Rights.Cancel, Rights.Operate, IsPrivileged: true),
        ["/muster.v1.SubmissionService/ReleaseTasks"] =
            new(Rights.Submit | Rights.Operate, Rights.Operate, IsPrivileged: true),

        // What it cancels needs the right to cancel besides.
        ["/muster.v1.SubmissionService/Session"] = new(Rights.Submit, Rights.Operate, IsForOneQueue: true),
        ["/muster.v1.AdminService/GetCell"] = new(Rights.Read),
        ["/muster.v1.AdminService/GetTask"] = new(Rights.Submit | Rights.Read, Rights.Read),
        ["/muster.v1.AdminService/ListTasks"] = new(Rights.Submit | Rights.Read, Rights.Read),
        ["/muster.v1.AdminService/ListWorkers"] = new(Rights.Read),
        ["/muster.v1.AdminService/RetryTasks"] = new(Rights.Retry, Rights.Operate, IsPrivileged: true),
        ["/muster.v1.RegistryService/RegisterClient"] = new(Client, IsForOneQueue: true),
        ["/muster.v1.RegistryService/Heartbeat"] = new(Rights.Work),
        ["/muster.v1.DispatchService/Dispatch"] = new(Rights.Work),
        ["/muster.v1.IdentityService/GetAuthority"] = new(Rights.None, IsOpen: true),
        ["/muster.v1.IdentityService/GetIdentity"] = s_anyIdentity,
        ["/muster.v1.IdentityService/Enroll"] = new(Rights.None, IsPrivileged: true),
        ["/grpc.health.v1.Health/Check"] = s_anyIdentity,
        ["/grpc.health.v1.Health/List"] = s_anyIdentity,
        ["/grpc.health.v1.Health/Watch"] = s_anyIdentity,
        ["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"] = s_anyIdentity,
        ["/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"] = s_anyIdentity,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static IEnumerable<string> Methods => s_rules.Keys;

    /// <summary>Null: there is none.</summary>
    public static AccessRule? Find(string method) => s_rules.GetValueOrDefault(method);
}
