// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Diagnostics.CodeAnalysis;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Identity.Certificates;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Server;
using Muster.Server.Endpoint.Access;
using Muster.Transport;
using Muster.Unit.Cell;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>A cell that speaks TLS on loopback and asks for credentials, with an identity for each right.</summary>
[SuppressMessage("Security", "CA5359", Justification = "The test looks at the certificate, and believes nothing.")]
public class AccessCell : IAsyncLifetime
{
    private readonly TemporaryCell _cell = new();
    private readonly string _state = Directory.CreateTempSubdirectory("muster-access-").FullName;
    private readonly Dictionary<string, TokenText> _tokens = [];
    private readonly List<GrpcChannel> _channels = [];
    private byte[] _authority = [];

    internal virtual AuthMode Mode => AuthMode.Tokens;

    internal CredentialStore Store { get; private set; } = null!;

    internal string Address { get; private set; } = "";

    internal string LocalAddress => _cell.Address;

    internal string AuditPath => Path.Combine(Store.Folder, "audit-cell.jsonl");

    public async Task InitializeAsync()
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        Store = new CredentialStore(CredentialStore.FolderOf(_state));
        Store.Init(_cell.Name, now);
        using (var authority = Store.LoadAuthority())
        {
            _authority = authority.Certificate;
        }

        foreach (var right in Enum.GetValues<Rights>().Where(each => each is not (Rights.None or Rights.All)))
        {
            Issue(Grants.NameOf(right), $"{Grants.NameOf(right)}=*");
        }

        Issue("expired", "admin=*", credential => credential with { ExpiresUnixMs = now - 1 });
        Issue("revoked", "admin=*", credential => credential with { RevokedUnixMs = now });
        Issue("elsewhere", "submit=nightly cancel=nightly read=nightly work=gpu");
        _tokens["unknown"] = TokenText.Create();
        var port = FreePort();
        Address = $"https://127.0.0.1:{port}";
        await _cell.StartAsync(_cell.Options with
        {
            StateFolder = _state,
            Bind = new IPEndPoint(IPAddress.Loopback, port),
            Tls = true,
            Auth = Mode,
        });
    }

    public async Task DisposeAsync()
    {
        foreach (var channel in _channels)
        {
            await channel.DisposeAsync();
        }

        await _cell.DisposeAsync();
        Directory.Delete(_state, recursive: true);
    }

    internal Credential Issue(string name, string grants, Func<Credential, Credential>? change = null)
    {
        Assert.True(Grants.TryParse(grants, out var parsed));
        var token = TokenText.Create();
        var issued = new Credential
        {
            Id = token.Id,
            Name = name,
            Number = 1,
            Grants = parsed,
            TokenHash = TokenText.HashOf(token.Secret),
        };
        Store.Change(book =>
        {
            issued = (change ?? (each => each))(issued with { Number = (ushort)book.NextNumber });
            return book.With(book.All.Append(issued), nextNumber: book.NextNumber + 1);
        });
        _tokens[name] = token;
        return issued;
    }

    /// <summary>Calls as this identity; null: without a credential; "local": on the cell's own socket.</summary>
    internal CallInvoker As(string? identity)
    {
        if (identity == "local")
        {
            return Keep(GrpcChannel.ForAddress(LocalAddress));
        }

        var bearer = identity == "garbage" ? "x" : identity is null ? null : _tokens[identity].Bearer;
        return Keep(GrpcChannel.ForAddress(Address, CredentialOf(bearer).On(new GrpcChannelOptions())));
    }

    /// <summary>Calls that show a certificate of the identity's and no token.</summary>
    internal async Task<CallInvoker> ByCertificateAsync(string identity)
    {
        var credential = CredentialOf(_tokens[identity].Bearer);
        var (context, _) = await Enrolment.EnrollAsync(credential, default);
        return With(context);
    }

    internal CallInvoker With(ContextFile context) =>
        Keep(GrpcChannel.ForAddress(Address, new CellCredential(context).On(new GrpcChannelOptions())));

    /// <summary>The line by which the identity joins.</summary>
    internal JoinLine LineOf(string identity) => new(
        _tokens[identity] with { Fingerprint = CertificateAuthority.FingerprintOf(_authority) }, Address);

    /// <summary>Of the certificate that the server shows.</summary>
    internal async Task<string> ServerSerialAsync()
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, new Uri(Address).Port);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, _, _, _) => true,
        });
        return tls.RemoteCertificate!.GetSerialNumberString();
    }

    internal CellCredential CredentialOf(string? bearer) =>
        new(new ContextFile { Address = Address, Authority = _authority, Token = bearer });

    private CallInvoker Keep(GrpcChannel channel)
    {
        _channels.Add(channel);
        return channel.CreateCallInvoker();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
