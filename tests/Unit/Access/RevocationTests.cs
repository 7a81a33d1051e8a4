// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Text.Json;
using System.Threading.Tasks;
using Grpc.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Transport;
using Muster.V1;
using Xunit;

namespace Muster.Unit.Access;

/// <summary>What happens while a cell runs: credentials are revoked, run out, are renewed, and all of it is written
/// down.</summary>
public class RevocationTests(AccessCell cell) : IClassFixture<AccessCell>
{
    [Fact]
    public async Task Revoked_OpenStreamsAndCallsEndAtOnce()
    {
        var credential = cell.Issue("shortly", "submit=*");
        var invoker = await KnownAsync("shortly");
        var submission = new SubmissionService.SubmissionServiceClient(invoker);
        using var session = submission.Session(Deadline());
        await session.RequestStream.WriteAsync(new() { Hello = new() { ClientId = 4_711 } });
        Assert.True(await session.ResponseStream.MoveNext(default));
        var task = await submission.SubmitTaskAsync(
            new() { Options = new() { Handler = "nobody" }, Item = new() }, Deadline());
        var waiting = submission.AwaitTaskAsync(new() { TaskId = task.TaskId }, Deadline());

        var since = Stopwatch.GetTimestamp();
        cell.Store.Change(book => book.Replacing(credential with { RevokedUnixMs = 1 }));

        Assert.Equal("CREDENTIAL_REVOKED", await ReasonAsync(() => session.ResponseStream.MoveNext(default)));
        Assert.Equal("CREDENTIAL_REVOKED", await ReasonAsync(async () => (await waiting) is not null));
        Assert.True(Stopwatch.GetElapsedTime(since) < TimeSpan.FromSeconds(5));
        Assert.Equal("CREDENTIAL_REVOKED", await ReasonAsync(async () =>
            await submission.AwaitTaskAsync(new() { TaskId = task.TaskId }, Deadline()) is not null));
    }

    [Fact]
    public async Task Expired_OpenStreamEnds()
    {
        var end = DateTimeOffset.UtcNow.AddSeconds(4).ToUnixTimeMilliseconds();
        cell.Issue("brief", "submit=*", credential => credential with { ExpiresUnixMs = end });
        var invoker = await KnownAsync("brief");
        using var session = new SubmissionService.SubmissionServiceClient(invoker).Session(Deadline());
        await session.RequestStream.WriteAsync(new() { Hello = new() { ClientId = 4_712 } });
        Assert.True(await session.ResponseStream.MoveNext(default));

        Assert.Equal("CREDENTIAL_EXPIRED", await ReasonAsync(() => session.ResponseStream.MoveNext(default)));
    }

    [Fact]
    public async Task Certificate_OfAnIdentity_IsThatIdentity()
    {
        var invoker = await cell.ByCertificateAsync("read");

        var known = await new IdentityService.IdentityServiceClient(invoker).GetIdentityAsync(new(), Deadline());

        Assert.Equal("read", known.Name);
        Assert.Equal(["read=*"], known.Grants);
        var denied = await Assert.ThrowsAsync<RpcException>(async () =>
            await new SubmissionService.SubmissionServiceClient(invoker).SubmitTaskAsync(new(), Deadline()));
        Assert.Equal(StatusCode.PermissionDenied, denied.StatusCode);
    }

    [Fact]
    public async Task Certificate_WhoseTimeIsOver_IsRefusedWithTheReason()
    {
        cell.Issue("hasty", "read=*", credential => credential with { CertificateSeconds = 1 });
        await KnownAsync("hasty");
        var invoker = await cell.ByCertificateAsync("hasty");
        var identities = new IdentityService.IdentityServiceClient(invoker);

        var deadline = Environment.TickCount64 + 20_000;
        string? reason = null;
        while (reason is null && Environment.TickCount64 < deadline)
        {
            reason = await ReasonOrNullAsync(
                async () => await identities.GetIdentityAsync(new(), Deadline()) is not null);
        }

        Assert.Equal("CREDENTIAL_EXPIRED", reason);
    }

    [Fact]
    public async Task Joined_ByOneLine_RenewsByItself()
    {
        var folder = Directory.CreateTempSubdirectory("muster-joined-").FullName;
        try
        {
            cell.Issue("w-join", "work=*", credential => credential with { CertificateSeconds = 3 });
            await KnownAsync("w-join");
            var path = Path.Combine(folder, "joined.json");
            using var joined = new JoinedCredential(cell.LineOf("w-join"), path, TimeProvider.System);

            var first = await joined.GetAsync(default);
            Assert.NotNull(first);
            Assert.Null(first.Context.Token);
            Assert.Equal(SecretFile.FileMode, File.GetUnixFileMode(path));
            var version = first.Version;
            var deadline = Environment.TickCount64 + 20_000;
            while (first.Version == version && Environment.TickCount64 < deadline)
            {
                await Task.Yield();
            }

            Assert.NotEqual(version, first.Version);
            var known = await Enrolment.AskAsync(first, default);
            Assert.Equal("w-join", known.Name);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Joining_AServerOfAnotherAuthority_SendsNoToken()
    {
        var line = cell.LineOf("work");
        var forged = line with { Token = line.Token with { Fingerprint = new string('A', 43) } };

        await Assert.ThrowsAsync<ServerNotTrustedException>(() => Enrolment.DiscoverAsync(forged, default));
    }

    [Fact]
    public async Task Audit_HoldsWhatWasRefusedAndDoneAndNoSecret()
    {
        var submission = new SubmissionService.SubmissionServiceClient(cell.As("read"));
        await new SubmissionService.SubmissionServiceClient(cell.As("operate")).CancelTasksAsync(new(), Deadline());

        var deadline = Environment.TickCount64 + 20_000;
        while (!IsWhole(await LinesAsync()) && Environment.TickCount64 < deadline)
        {
            // Again and again: other tests may have used up the refusals of this second.
            await Assert.ThrowsAsync<RpcException>(async () => await submission.CancelTasksAsync(new(), Deadline()));
        }

        Assert.True(IsWhole(await LinesAsync()));
        var text = await File.ReadAllTextAsync(cell.AuditPath);
        Assert.DoesNotContain(TokenText.Prefix + ".", text, StringComparison.Ordinal);
        Assert.Equal(SecretFile.FileMode, File.GetUnixFileMode(cell.AuditPath));
    }

    [Fact]
    public async Task ServerCertificate_MadeAnew_IsShownToTheNextConnection()
    {
        var before = await cell.ServerSerialAsync();

        cell.Store.Change(book => book.With(book.All, generation: book.Generation + 1));

        var deadline = Environment.TickCount64 + 20_000;
        while (await cell.ServerSerialAsync() == before)
        {
            Assert.True(Environment.TickCount64 < deadline);
        }
    }

    private async Task<JsonElement[]> LinesAsync() => File.Exists(cell.AuditPath)
        ? [.. (await File.ReadAllLinesAsync(cell.AuditPath)).Select(line => JsonDocument.Parse(line).RootElement)]
        : [];

    private static bool IsWhole(JsonElement[] lines) =>
        lines.Any(line => Is(line, "operate", "allowed"))
        && lines.Any(line => Is(line, "read", "refused") && Text(line, "code") == "PERMISSION_DENIED"
            && Text(line, "act") == "/muster.v1.SubmissionService/CancelTasks");

    private static bool Is(JsonElement line, string identity, string outcome) =>
        Text(line, "identity") == identity && Text(line, "outcome") == outcome;

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) ? value.GetString() : null;

    private async Task<CallInvoker> KnownAsync(string identity)
    {
        var invoker = cell.As(identity);
        var identities = new IdentityService.IdentityServiceClient(invoker);
        var deadline = Environment.TickCount64 + 20_000;
        while (await ReasonOrNullAsync(async () => await identities.GetIdentityAsync(new(), Deadline()) is not null)
            is not null)
        {
            Assert.True(Environment.TickCount64 < deadline);
        }

        return invoker;
    }

    private static async Task<string?> ReasonOrNullAsync(Func<Task<bool>> call)
    {
        try
        {
            await call();
            return null;
        }
        catch (RpcException refused)
        {
            return RichStatus.TryRead(refused, out var details) ? details.Error?.Reason : refused.Status.Detail;
        }
    }

    private static async Task<string?> ReasonAsync(Func<Task<bool>> call)
    {
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await call());
        return RichStatus.TryRead(refused, out var details) ? details.Error?.Reason : refused.Status.Detail;
    }

    private static CallOptions Deadline() => new(deadline: DateTime.UtcNow.AddSeconds(30));
}
