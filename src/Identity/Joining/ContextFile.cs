// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Text.Json;
using Muster.Identity.Credentials;

namespace Muster.Identity.Joining;

/// <summary>
/// What a program needs to speak to a cell of another host, as one file of mode 0600: where it is, whom to believe, and
/// its own proof of identity: a token, or a key with a certificate, or both. Immutable.
/// </summary>
internal sealed record ContextFile
{
    public const string Variable = "MUSTER_CONTEXT";

    private const int Version = 1;

    public required string Address { get; init; }

    /// <summary>DER of the cell's authority.</summary>
    public required byte[] Authority { get; init; }

    public string Cell { get; init; } = "";

    /// <summary>As it is sent; null: the certificate is the proof.</summary>
    public string? Token { get; init; }

    /// <summary>DER; null: the token is the proof.</summary>
    public byte[]? Certificate { get; init; }

    /// <summary>PKCS #8 of the certificate's key.</summary>
    public byte[]? Key { get; init; }

    /// <summary>$MUSTER_CONTEXT, else $XDG_CONFIG_HOME/muster/context.json, else that in ~/.config.</summary>
    public static string DefaultPath =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given
            ? Path.GetFullPath(given)
            : Path.Combine(Home("XDG_CONFIG_HOME", ".config"), "muster", "context.json");

    /// <summary>Where a worker keeps what it got by a join line, by the id of its identity.</summary>
    public static string JoinedPath(string id) =>
        Path.Combine(Home("XDG_STATE_HOME", Path.Combine(".local", "state")), "muster", "joined", $"{id}.json");

    /// <summary>Where the cell is; of what proves anything nothing.</summary>
    public override string ToString() => Address;

    public void Save(string path)
    {
        SecretFile.MakeFolder(Path.GetDirectoryName(path)!);
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", Version);
            json.WriteString("cell", Cell);
            json.WriteString("address", Address);
            json.WriteBase64String("authority", Authority);
            if (Token is not null)
            {
                json.WriteString("token", Token);
            }

            if (Certificate is not null && Key is not null)
            {
                json.WriteBase64String("certificate", Certificate);
                json.WriteBase64String("key", Key);
            }

            json.WriteEndObject();
        }

        SecretFile.Replace(path, buffer.WrittenSpan);
    }

    /// <summary>Throws <see cref="CredentialsUnusableException"/> when it is not there or damaged.</summary>
    public static ContextFile Load(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(SecretFile.Read(path));
            var root = document.RootElement;
            return root.GetProperty("version").GetInt32() == Version
                ? new ContextFile
                {
                    Address = root.GetProperty("address").GetString()!,
                    Authority = root.GetProperty("authority").GetBytesFromBase64(),
                    Cell = root.GetProperty("cell").GetString()!,
                    Token = root.TryGetProperty("token", out var token) ? token.GetString() : null,
                    Certificate = root.TryGetProperty("certificate", out var certificate)
                        ? certificate.GetBytesFromBase64()
                        : null,
                    Key = root.TryGetProperty("key", out var key) ? key.GetBytesFromBase64() : null,
                }
                : throw new InvalidDataException("another version wrote it");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or JsonException
            or KeyNotFoundException or InvalidDataException or InvalidOperationException or FormatException)
        {
            throw new CredentialsUnusableException(
                $"{path} cannot be used ({problem.Message}); 'muster auth login TOKEN@HOST:PORT' makes a new one",
                problem);
        }
    }

    private static string Home(string variable, string folder) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } given && Path.IsPathFullyQualified(given)
            ? given
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), folder);
}
