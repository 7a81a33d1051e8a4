// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.CommandLine;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Cli.Arguments;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;

namespace Muster.Cli.Verbs;

/// <summary>muster auth issue: a new identity, and the one line by which it joins.</summary>
internal static class AuthIssueVerb
{
    private const int NumberMax = ushort.MaxValue;

    private static readonly TimeSpan s_contextLifetime = TimeSpan.FromDays(90);

    public static Command Create(VerbContext context)
    {
        var name = new Argument<string?>("name")
        {
            Description = "Name of the identity, 1 to 64 characters of a-z, 0-9, '.', '_', '-' [default: role and id]",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var roles = new Option<string[]>("--role")
        {
            Description = "What it may do: submit, read, cancel, retry, operate, admin; or work",
            HelpName = "ROLE,...",
            Required = true,
            AllowMultipleArgumentsPerToken = false,
        };
        var queues = new Option<string[]>("--queue")
        {
            Description = "On which queue, repeatable [default: * for all]",
            HelpName = "NAME",
        };
        var pools = new Option<string[]>("--pool")
        {
            Description = "For which pool of workers, repeatable [default: * for all]",
            HelpName = "NAME",
        };
        var addresses = new Option<string[]>("--address")
        {
            Description = "HOST:PORT of the cell's Register, repeatable [default: where it last listened]",
            HelpName = "HOST:PORT",
        };
        var expires = Lifetimes.Option("--expires", "How long the identity counts, for example 90d [default: always]");
        var certificates = Lifetimes.Option(
            "--certificate-lifetime",
            "How long each certificate of it counts; workers renew theirs [default: 24h, with --context 90d]");
        var file = new Option<string?>("--context")
        {
            Description = "Write a file with a key and a certificate instead of printing a token",
            HelpName = "FILE",
        };
        var cell = SharedOptions.Cell();
        var format = SharedOptions.Format();
        var verb = new Command("issue", "Make an identity and print the line by which it joins; it is kept nowhere")
        {
            name, roles, queues, pools, addresses, expires, certificates, file, cell, format,
        };
        verb.SetAction(result =>
        {
            var place = AuthPlace.Of(result.GetRequiredValue(cell));
            var grants = GrantsOf(result.GetValue(roles)!, result.GetValue(queues)!, result.GetValue(pools)!);
            var path = result.GetValue(file);
            var token = path is null ? TokenText.Create() : null;
            var issued = Issue(
                place, result.GetValue(name), grants, token, result.GetValue(expires),
                result.GetValue(certificates) ?? (path is null ? null : s_contextLifetime));
            place.Audit("auth issue", issued.Name);
            var where = place.Addresses(result.GetValue(addresses) ?? []);
            if (path is not null)
            {
                WriteContext(place, issued, path, where);
                context.Terminal.Line($"{path}: set MUSTER_CONTEXT to it; it holds a key, mode 0600");
                return ExitCodes.Success;
            }

            place.Print(context.Terminal, issued, token!, where, result.GetValue(format) == SharedOptions.Json);
            return ExitCodes.Success;
        });
        return verb;
    }

    private static Grants GrantsOf(string[] roles, string[] queues, string[] pools)
    {
        var grants = new List<Grant>();
        foreach (var word in roles.SelectMany(each => each.Split(',', StringSplitOptions.RemoveEmptyEntries)))
        {
            if (!Grants.TryRight(word, out var right))
            {
                throw new UsageException(
                    $"--role '{word}' is none of submit, read, cancel, retry, operate, admin and work");
            }

            var scopes = right == Rights.Work ? pools : queues;
            grants.AddRange((scopes.Length == 0 ? [Grant.Everywhere] : scopes).Select(scope => Grants.IsScope(scope)
                ? new Grant(right, scope)
                : throw new UsageException($"'{scope}' is no name of a queue or pool")));
        }

        return grants.Count is > 0 and <= Grants.CountMax
            ? new Grants(grants)
            : throw new UsageException($"--role names 1 to {Grants.CountMax} rights on queues and pools in all");
    }

    private static Credential Issue(
        AuthPlace place, string? name, Grants grants, TokenText? token, TimeSpan? expires, TimeSpan? certificates)
    {
        if (name is not null && !Grants.IsName(name))
        {
            throw new UsageException("the name has 1 to 64 characters of a-z, 0-9, '.', '_' and '-'");
        }

        Credential? issued = null;
        place.Store.Change(book =>
        {
            var now = AuthPlace.NowUnixMs;
            var id = token?.Id ?? TokenText.NewId();
            var called = name ?? $"{Grants.NameOf(grants.List[0].Right)}-{id[..6]}";
            Check(book, called);
            issued = new Credential
            {
                Id = id,
                Name = called,
                Number = (ushort)book.NextNumber,
                Grants = grants,
                TokenHash = token is null ? [] : TokenText.HashOf(token.Secret),
                CreatedUnixMs = now,
                ExpiresUnixMs = expires is { } time ? now + (long)time.TotalMilliseconds : 0,
                CertificateSeconds = (int)(certificates?.TotalSeconds ?? Credential.CertificateSecondsDefault),
            };
            return book.With(book.All.Append(issued), nextNumber: book.NextNumber + 1);
        });
        return issued!;
    }

    private static void Check(CredentialBook book, string name)
    {
        if (book.FindByName(name) is { IsRevoked: false })
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.IdentityExists),
                $"cell '{book.Cell}' has an identity '{name}'; 'muster auth rotate {name}' gives it a new token, and "
                + $"'muster auth revoke {name}' ends it");
        }

        if (book.All.Count >= CredentialBook.CredentialsMax || book.NextNumber > NumberMax)
        {
            throw new MusterException(
                FaultCodes.Name(FaultCode.CredentialsUnusable),
                $"cell '{book.Cell}' has had as many identities as it can tell apart; move its folder auth away and "
                + "begin anew with 'muster auth init'");
        }
    }

    private static void WriteContext(AuthPlace place, Credential issued, string path, string? where)
    {
        using var authority = place.Store.LoadAuthority();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        new ContextFile
        {
            Cell = place.Cell,
            Address = where is null
                ? throw new UsageException("give --address HOST:PORT: nothing is known of where the cell is reached")
                : AuthPlace.AddressOf(where),
            Authority = authority.Certificate,
            Certificate = authority.IssueClient(new PublicKey(key), place.Cell, issued, DateTimeOffset.UtcNow),
            Key = key.ExportPkcs8PrivateKey(),
        }.Save(Path.GetFullPath(path));
    }
}
