// SPDX-License-Identifier: Apache-2.0
using System;
using System.Threading.Tasks;
using Google.Protobuf;
using Grpc.Core;
using Muster.Core;
using Muster.Identity.Certificates;
using Muster.Identity.Credentials;
using Muster.Server.Endpoint;
using Muster.Server.Endpoint.Access;
using Muster.V1;

namespace Muster.Server;

/// <summary>IdentityService: served by every process of a cell, each with the cell's authority at hand.</summary>
internal sealed class IdentityCalls(CellFront front, CellOptions options) : IdentityService.IdentityServiceBase
{
    private static readonly Fault s_noAuthority = new(
        FaultCode.FeatureUnsupported, "this cell has no authority; start it with --tls");

    private static readonly Fault s_noIdentity = new(
        FaultCode.InvalidArgument, "a peer that needs no credential has no identity to certify; show a token");

    private static readonly Fault s_badRequest = new(
        FaultCode.InvalidArgument, "signing_request is no PKCS #10 request signed with a key on P-256");

    public static ServerServiceDefinition Bind(CellFront front, CellOptions options) =>
        IdentityService.BindService(new IdentityCalls(front, options));

    public override Task<GetAuthorityResponse> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
        Task.FromResult(new GetAuthorityResponse
        {
            Certificate = ByteString.CopyFrom(Authority().Certificate),
            Cell = options.Cell,
        });

    public override Task<GetIdentityResponse> GetIdentity(GetIdentityRequest request, ServerCallContext context)
    {
        var caller = Caller.Of(context);
        var response = new GetIdentityResponse { Name = caller.Name };
        if (caller.Credential is { } credential)
        {
            response.Id = credential.Id;
            response.ExpiresUnixUs = credential.ExpiresUnixMs * 1_000;
            foreach (var grant in credential.Grants.List)
            {
                response.Grants.Add(grant.ToString());
            }
        }
        else
        {
            response.Grants.Add(Grants.Everything.ToString());
        }

        return Task.FromResult(response);
    }

    public override Task<EnrollResponse> Enroll(EnrollRequest request, ServerCallContext context)
    {
        var authority = Authority();
        if (Caller.Of(context).Credential is not { } credential)
        {
            throw FaultStatus.ToException(s_noIdentity);
        }

        if (!SigningRequest.TryRead(request.SigningRequest.Span, out var key))
        {
            throw FaultStatus.ToException(s_badRequest);
        }

        return Task.FromResult(new EnrollResponse
        {
            Certificate = ByteString.CopyFrom(
                authority.IssueClient(key, options.Cell, credential, options.Time.GetUtcNow())),
            Authority = ByteString.CopyFrom(authority.Certificate),
            LifetimeMs = (ulong)credential.CertificateSeconds * 1_000,
        });
    }

    private CertificateAuthority Authority() =>
        front.Tls?.Authority ?? throw FaultStatus.ToException(s_noAuthority);
}
