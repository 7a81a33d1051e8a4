// SPDX-License-Identifier: Apache-2.0
using System;
using System.Diagnostics.CodeAnalysis;
using System.Formats.Asn1;
using System.Linq;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Muster.Identity.Credentials;

namespace Muster.Identity.Certificates;

/// <summary>
/// Who a certificate of a cell's authority is for, as its subject alternative name of type URI says:
/// <c>muster://CELL/ID?work=gpu&amp;submit=default</c> for an identity and its rights by queue and pool, or
/// <c>muster://CELL/server</c> for the roles themselves. The rights are for people and for other programs: the server
/// asks its own book what the identity may do, so that a change holds at once.
/// </summary>
/// <param name="Cell">Name of the cell.</param>
/// <param name="Id">Id of the identity, or <see cref="Server"/>.</param>
/// <param name="Grants">Empty for a server.</param>
internal sealed record CertificateName(string Cell, string Id, Grants Grants)
{
    public const string Server = "server";

    private const string Scheme = "muster://";
    private const string AlternativeNamesOid = "2.5.29.17";
    private const int UriTag = 6;

    public bool IsServer => Id == Server;

    public override string ToString() => Grants.List.Count == 0
        ? $"{Scheme}{Cell}/{Id}"
        : $"{Scheme}{Cell}/{Id}?{string.Join('&', Grants.List)}";

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out CertificateName? name)
    {
        name = null;
        if (!text.StartsWith(Scheme, StringComparison.Ordinal))
        {
            return false;
        }

        var rest = text[Scheme.Length..];
        var query = rest.IndexOf('?', StringComparison.Ordinal);
        var place = (query < 0 ? rest : rest[..query]).Split('/');
        var words = query < 0 ? "" : rest[(query + 1)..].Replace('&', ' ');
        if (place.Length != 2 || !place.All(Grants.IsName) || !Grants.TryParse(words, out var grants))
        {
            return false;
        }

        name = new(place[0], place[1], grants);
        return true;
    }

    /// <summary>The name in a certificate; whether the certificate is to be believed is another question.</summary>
    public static bool TryRead(X509Certificate2 certificate, [NotNullWhen(true)] out CertificateName? name)
    {
        name = null;
        var extension = certificate.Extensions.FirstOrDefault(each => each.Oid?.Value == AlternativeNamesOid);
        if (extension is null)
        {
            return false;
        }

        try
        {
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            var uri = new Asn1Tag(TagClass.ContextSpecific, UriTag);
            while (names.HasData)
            {
                if (!names.PeekTag().HasSameClassAndValue(uri))
                {
                    names.ReadEncodedValue();
                }
                else if (TryParse(names.ReadCharacterString(UniversalTagNumber.IA5String, uri), out name))
                {
                    return true;
                }
            }
        }
        catch (Exception damage) when (damage is AsnContentException or CryptographicException)
        {
            // A name that cannot be read names nobody.
        }

        return false;
    }
}
