// SPDX-License-Identifier: Apache-2.0
using System;
using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Muster.Cli.Arguments;
using Muster.Cli.Output;
using Muster.Core;
using Muster.Identity.Credentials;

namespace Muster.Cli.Verbs;

/// <summary>
/// muster auth: who may speak to a cell. What changes the identities works on the cell's own files, so it needs no
/// running cell and no right but to read them; running roles see the change within a quarter of a second.
/// </summary>
internal static class AuthVerb
{
    public static Command Create(VerbContext context) =>
        new(CommandVerbs.Auth, "Say who may speak to a cell, and log in to one on another host")
        {
            Init(context), AuthIssueVerb.Create(context), Revoke(context), List(context), Rotate(context),
            AuthLoginVerb.Login(context), AuthLoginVerb.Logout(context), AuthLoginVerb.WhoAmI(context),
        };

    private static Command Init(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var format = SharedOptions.Format();
        var verb = new Command("init", "Make the cell's authority and its first administrator") { cell, format };
        verb.SetAction(result =>
        {
            var place = AuthPlace.Of(result.GetRequiredValue(cell));
            var isNew = place.Store.Init(place.Cell, AuthPlace.NowUnixMs);
            place.Audit("auth init");
            if (result.GetValue(format) == SharedOptions.Json)
            {
                context.Terminal.Line(JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteBoolean("made", isNew);
                    writer.WriteString("folder", place.Store.Folder);
                    writer.WriteString("admin_token_file", place.Store.AdminTokenPath);
                    writer.WriteEndObject();
                }));
            }
            else
            {
                context.Terminal.Line(isNew
                    ? $"made the authority of cell '{place.Cell}' in {place.Store.Folder}"
                    : $"cell '{place.Cell}' has its authority already, in {place.Store.Folder}");
                context.Terminal.Line($"the first administrator's token is in {place.Store.AdminTokenPath}");
            }

            return ExitCodes.Success;
        });
        return verb;
    }

    private static Command Revoke(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var name = new Argument<string>("name") { Description = "Name or id of the identity" };
        var verb = new Command("revoke", "End an identity: its tokens, its certificates and its open calls")
        {
            name, cell,
        };
        verb.SetAction(result =>
        {
            var place = AuthPlace.Of(result.GetRequiredValue(cell));
            var wanted = result.GetRequiredValue(name);
            place.Store.Change(book =>
            {
                var found = AuthPlace.Find(book, wanted);
                return found.IsRevoked
                    ? book
                    : book.Replacing(found with { RevokedUnixMs = AuthPlace.NowUnixMs });
            });
            place.Audit("auth revoke", wanted);
            context.Terminal.Line($"{wanted} is revoked; running roles know it within a second");
            return ExitCodes.Success;
        });
        return verb;
    }

    private static Command Rotate(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var name = new Argument<string?>("name")
        {
            Description = "An identity that gets a new token; none: the servers make new certificates",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var overlap = Lifetimes.Option("--overlap", "How long the token before still counts [default: not at all]");
        var format = SharedOptions.Format();
        var verb = new Command("rotate", "Put new secrets in the place of old ones, without a restart")
        {
            name, overlap, cell, format,
        };
        verb.SetAction(result =>
        {
            var place = AuthPlace.Of(result.GetRequiredValue(cell));
            var isJson = result.GetValue(format) == SharedOptions.Json;
            if (result.GetValue(name) is { } wanted)
            {
                RotateToken(context, place, wanted, result.GetValue(overlap), isJson);
                return ExitCodes.Success;
            }

            var changed = place.Store.Change(book => book.With(book.All, generation: book.Generation + 1));
            var generation = changed.Generation;
            place.Audit("auth rotate");
            context.Terminal.Line(isJson
                ? JsonLines.Write(writer =>
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("generation", generation);
                    writer.WriteEndObject();
                })
                : "running roles make new keys and certificates within a second; open connections keep theirs");
            return ExitCodes.Success;
        });
        return verb;
    }

    private static void RotateToken(
        VerbContext context, AuthPlace place, string wanted, TimeSpan? overlap, bool isJson)
    {
        TokenText? token = null;
        Credential? changed = null;
        place.Store.Change(book =>
        {
            var found = AuthPlace.Find(book, wanted);
            token = TokenText.Create(found.Id);
            changed = found with
            {
                TokenHash = TokenText.HashOf(token.Secret),
                EarlierTokenHash = overlap is null ? [] : found.TokenHash,
                EarlierUntilUnixMs = overlap is { } time ? AuthPlace.NowUnixMs + (long)time.TotalMilliseconds : 0,
            };
            return book.Replacing(changed);
        });
        place.Audit("auth rotate", wanted);
        place.Print(context.Terminal, changed!, token!, place.Addresses([]), isJson);
    }

    private static Command List(VerbContext context)
    {
        var cell = SharedOptions.Cell();
        var format = SharedOptions.Format();
        var verb = new Command("list", "Show the identities of a cell; no secret is shown, none is kept")
        {
            cell, format,
        };
        verb.SetAction(result =>
        {
            var all = AuthPlace.Of(result.GetRequiredValue(cell)).Store.Load().All;
            if (result.GetValue(format) == SharedOptions.Json)
            {
                foreach (var each in all)
                {
                    context.Terminal.Line(JsonLines.Write(writer => Write(writer, each)));
                }

                return ExitCodes.Success;
            }

            var table = new TextTable("NAME", "ID", "STATE", "GRANTS", "EXPIRES");
            foreach (var each in all)
            {
                table.Add(each.Name, each.Id, StateOf(each), each.Grants.ToString(), Moment(each.ExpiresUnixMs));
            }

            table.Print(context.Terminal);
            return ExitCodes.Success;
        });
        return verb;
    }

    private static string StateOf(Credential credential) =>
        credential.StateAt(AuthPlace.NowUnixMs).ToString().ToLowerInvariant();

    private static string Moment(long unixMs) => unixMs == 0
        ? "never"
        : DateTimeOffset.FromUnixTimeMilliseconds(unixMs).ToString("u", CultureInfo.InvariantCulture);

    private static void Write(Utf8JsonWriter writer, Credential credential)
    {
        writer.WriteStartObject();
        writer.WriteString("name", credential.Name);
        writer.WriteString("id", credential.Id);
        writer.WriteString("state", StateOf(credential));
        writer.WriteStartArray("grants");
        foreach (var grant in credential.Grants.List)
        {
            writer.WriteStringValue(grant.ToString());
        }

        writer.WriteEndArray();
        writer.WriteNumber("created_unix_ms", credential.CreatedUnixMs);
        writer.WriteNumber("expires_unix_ms", credential.ExpiresUnixMs);
        writer.WriteNumber("revoked_unix_ms", credential.RevokedUnixMs);
        writer.WriteNumber("certificate_seconds", credential.CertificateSeconds);
        writer.WriteEndObject();
    }
}
