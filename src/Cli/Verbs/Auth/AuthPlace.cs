// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using Microsoft.Extensions.Logging.Abstractions;
using Muster.Arena.Native;
using Muster.Cli.Output;
using Muster.Core;
using Muster.Identity.Credentials;
using Muster.Identity.Joining;
using Muster.Server;
using Muster.Server.Endpoint.Access;

namespace Muster.Cli.Verbs;

/// <summary>The identities of a cell of this host, as the command line changes and shows them.</summary>
internal sealed class AuthPlace
{
    private AuthPlace(string cell)
    {
        Cell = cell;
        Store = CellFront.StoreIn(CredentialStore.FolderOf(CellPaths.StateFolder(cell)));
    }

    public string Cell { get; }

    public CredentialStore Store { get; }

    public static long NowUnixMs => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public static AuthPlace Of(string cell) => new(cell);

    public static Credential Find(CredentialBook book, string nameOrId) =>
        book.Find(nameOrId) ?? book.FindByName(nameOrId) ?? throw new MusterException(
            FaultCodes.Name(FaultCode.IdentityUnknown),
            $"cell '{book.Cell}' has no identity '{nameOrId}'; 'muster auth list' shows those it has");

    /// <summary>Where others join: what was said, else where the cell's Register last listened.</summary>
    public string? Addresses(IReadOnlyCollection<string> given)
    {
        if (given.Count > 0)
        {
            return string.Join(',', given);
        }

        return File.Exists(Store.AddressesPath) ? File.ReadAllText(Store.AddressesPath).Trim() : null;
    }

    /// <summary>Writes a line to the cell's audit log.</summary>
    public void Audit(string act, string? about = null)
    {
        using var audit = new AuditLog(Store.Folder, "cli", TimeProvider.System, NullLogger.Instance);
        audit.Add(new AuditEvent(
            DateTimeOffset.UtcNow,
            about is null ? act : $"{act} {ShownText.Clean(about)}",
            $"user {User.Id}",
            null,
            "cli",
            null));
    }

    /// <summary>Prints a token: the one time that anybody sees it.</summary>
    public void Print(Terminal terminal, Credential credential, TokenText token, string? addresses, bool isJson)
    {
        using var authority = Store.LoadAuthority();
        var whole = token with { Fingerprint = authority.Fingerprint };
        var line = addresses is null ? whole.ToString() : $"{whole}@{addresses}";
        var isWorker = credential.Grants.Anywhere() == Rights.Work;
        if (isJson)
        {
            terminal.Line(JsonLines.Write(writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("name", credential.Name);
                writer.WriteString("id", credential.Id);
                writer.WriteString("token", whole.ToString());
                writer.WriteString("join", addresses is null ? "" : line);
                writer.WriteNumber("expires_unix_ms", credential.ExpiresUnixMs);
                writer.WriteEndObject();
            }));
            return;
        }

        if (addresses is null)
        {
            terminal.Note("nothing is known of where the cell is reached; give --address HOST:PORT for the whole line");
        }

        terminal.Line((isWorker ? "muster worker --join " : "muster auth login ") + line);
    }

    /// <summary>The line as a context's address.</summary>
    public static string AddressOf(string addresses) => JoinLine.AddressOf(addresses.Split(','));
}
