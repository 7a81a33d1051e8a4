// SPDX-License-Identifier: Apache-2.0
using System;
using System.Buffers;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;

namespace Muster.Identity.Credentials;

/// <summary>
/// The file of a cell's identities: JSON, its serial number first, so that a look at the first bytes says whether it
/// changed.
/// </summary>
internal static class CredentialJson
{
    public const int Version = 1;

    public static byte[] Write(CredentialBook book)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("serial", book.Serial);
            json.WriteNumber("version", Version);
            json.WriteString("cell", book.Cell);
            json.WriteNumber("next_number", book.NextNumber);
            json.WriteNumber("generation", book.Generation);
            json.WriteStartArray("identities");
            foreach (var credential in book.All)
            {
                Write(json, credential);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Throws <see cref="InvalidDataException"/> with the reason when it is no such file.</summary>
    public static CredentialBook Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using var document = JsonDocument.Parse(bytes);
            var root = document.RootElement;
            if (root.GetProperty("version").GetInt32() is var version && version != Version)
            {
                throw new InvalidDataException($"it has version {version} and this program reads {Version}");
            }

            var list = new List<Credential>();
            foreach (var each in root.GetProperty("identities").EnumerateArray())
            {
                list.Add(ReadOne(each));
            }

            return new(
                root.GetProperty("cell").GetString()!,
                root.GetProperty("serial").GetUInt64(),
                root.GetProperty("next_number").GetInt32(),
                root.GetProperty("generation").GetUInt32(),
                list);
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or ArgumentException)
        {
            throw new InvalidDataException(problem.Message, problem);
        }
    }

    private static void Write(Utf8JsonWriter json, Credential credential)
    {
        json.WriteStartObject();
        json.WriteString("id", credential.Id);
        json.WriteString("name", credential.Name);
        json.WriteNumber("number", credential.Number);
        json.WriteString("grants", credential.Grants.ToString());
        WriteHash(json, "token_sha256", credential.TokenHash);
        WriteHash(json, "earlier_token_sha256", credential.EarlierTokenHash);
        WriteMoment(json, "earlier_until_unix_ms", credential.EarlierUntilUnixMs);
        WriteMoment(json, "created_unix_ms", credential.CreatedUnixMs);
        WriteMoment(json, "expires_unix_ms", credential.ExpiresUnixMs);
        WriteMoment(json, "revoked_unix_ms", credential.RevokedUnixMs);
        json.WriteNumber("certificate_seconds", credential.CertificateSeconds);
        json.WriteEndObject();
    }

    private static void WriteHash(Utf8JsonWriter json, string name, byte[] hash)
    {
        if (hash.Length > 0)
        {
            json.WriteString(name, Convert.ToHexStringLower(hash));
        }
    }

    private static void WriteMoment(Utf8JsonWriter json, string name, long unixMs)
    {
        if (unixMs != 0)
        {
            json.WriteNumber(name, unixMs);
        }
    }

    private static Credential ReadOne(JsonElement element)
    {
        var text = element.GetProperty("grants").GetString()!;
        return Grants.TryParse(text, out var grants)
            ? new Credential
            {
                Id = element.GetProperty("id").GetString()!,
                Name = element.GetProperty("name").GetString()!,
                Number = element.GetProperty("number").GetUInt16(),
                Grants = grants,
                TokenHash = Hash(element, "token_sha256"),
                EarlierTokenHash = Hash(element, "earlier_token_sha256"),
                EarlierUntilUnixMs = Moment(element, "earlier_until_unix_ms"),
                CreatedUnixMs = Moment(element, "created_unix_ms"),
                ExpiresUnixMs = Moment(element, "expires_unix_ms"),
                RevokedUnixMs = Moment(element, "revoked_unix_ms"),
                CertificateSeconds = element.GetProperty("certificate_seconds").GetInt32(),
            }
            : throw new InvalidDataException($"'{text}' is no list of grants");
    }

    private static byte[] Hash(JsonElement element, string name) => element.TryGetProperty(name, out var value)
        ? Convert.FromHexString(value.GetString()!)
        : [];

    private static long Moment(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetInt64() : 0;
}
