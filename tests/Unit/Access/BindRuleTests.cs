// SPDX-License-Identifier: Apache-2.0
using System;
using System.Net;
using Muster.Core;
using Muster.Server.Endpoint.Access;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>Address x TLS x authentication: what may be served, and which flag a refusal names.</summary>
public class BindRuleTests
{
    private const string Loopback = "127.0.0.1:7070";
    private const string Loopback6 = "[::1]:7070";
    private const string Any = "0.0.0.0:7070";
    private const string Any6 = "[::]:7070";
    private const string Other = "10.1.2.3:7070";

    [Theory]
    [InlineData(null, false, null, null, "")]
    [InlineData(null, false, "None", null, "")]
    [InlineData(null, true, null, "InvalidArgument", "--bind")]
    [InlineData(null, false, "Tokens", "InvalidArgument", "--bind")]
    [InlineData(null, false, "Certificates", "InvalidArgument", "--bind")]
    [InlineData(Loopback, false, null, null, "")]
    [InlineData(Loopback6, false, null, null, "")]
    [InlineData(Loopback, false, "None", null, "")]
    [InlineData(Loopback, false, "Tokens", null, "")]
    [InlineData(Loopback, false, "Certificates", "BindRefused", "--tls")]
    [InlineData(Loopback, true, null, null, "")]
    [InlineData(Loopback, true, "None", "BindRefused", "--auth tokens")]
    [InlineData(Loopback, true, "Tokens", null, "")]
    [InlineData(Loopback, true, "Certificates", null, "")]
    [InlineData(Any, false, null, "BindRefused", "--tls")]
    [InlineData(Any6, false, null, "BindRefused", "--tls")]
    [InlineData(Other, false, null, "BindRefused", "--tls")]
    [InlineData(Other, false, "None", "BindRefused", "--tls")]
    [InlineData(Other, false, "Tokens", "BindRefused", "--tls")]
    [InlineData(Other, false, "Certificates", "BindRefused", "--tls")]
    [InlineData(Other, true, "None", "BindRefused", "--auth tokens")]
    [InlineData(Any, true, null, null, "")]
    [InlineData(Any6, true, "Tokens", null, "")]
    [InlineData(Other, true, "Tokens", null, "")]
    [InlineData(Other, true, "Certificates", null, "")]
    public void Combination_IsServedOrRefusedWithTheFlag(
        string? bind, bool hasTls, string? auth, string? code, string flag)
    {
        var fault = BindRules.Check(
            bind is null ? null : IPEndPoint.Parse(bind), hasTls, auth is null ? null : Enum.Parse<AuthMode>(auth));

        Assert.Equal(code is null ? FaultCode.None : Enum.Parse<FaultCode>(code), fault.Code);
        Assert.Contains(flag, fault.Message ?? "", StringComparison.Ordinal);
    }
}
