// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;

namespace Muster.Identity.Credentials;

/// <summary>
/// Everything that an identity was granted. Immutable. Written as "submit=default cancel=default", right by right.
/// </summary>
internal sealed class Grants
{
    /// <summary>More than this nobody can read, and a certificate must carry them.</summary>
    public const int CountMax = 32;

    public const int NameCharsMax = 64;

    public static readonly Grants None = new([]);

    public static readonly Grants Everything = new([new(Rights.Admin, Grant.Everywhere)]);

    private static readonly (Rights Right, string Name)[] s_names =
    [
        (Rights.Submit, "submit"), (Rights.Read, "read"), (Rights.Cancel, "cancel"), (Rights.Retry, "retry"),
        (Rights.Operate, "operate"), (Rights.Admin, "admin"), (Rights.Work, "work"),
    ];

    private readonly Grant[] _grants;

    public Grants(IEnumerable<Grant> grants) => _grants = [.. grants.Distinct()];

    public IReadOnlyList<Grant> List => _grants;

    /// <summary>The rights on a queue or pool, those among them that follow from others.</summary>
    public Rights On(ReadOnlySpan<char> scope)
    {
        var rights = Rights.None;
        foreach (var grant in _grants)
        {
            if (grant.IsOn(scope))
            {
                rights |= WithImplied(grant.Right);
            }
        }

        return rights;
    }

    public bool Allows(Rights right, ReadOnlySpan<char> scope) => (On(scope) & right) != 0;

    /// <summary>The rights on any queue or pool.</summary>
    public Rights Anywhere()
    {
        var rights = Rights.None;
        foreach (var grant in _grants)
        {
            rights |= WithImplied(grant.Right);
        }

        return rights;
    }

    public override string ToString() => string.Join(' ', _grants);

    public static string NameOf(Rights right) => Array.Find(s_names, each => each.Right == right).Name;

    /// <summary>The right of a name; "worker" is another word for work.</summary>
    public static bool TryRight(string name, out Rights right)
    {
        right = name == "worker" ? Rights.Work : Array.Find(s_names, each => each.Name == name).Right;
        return right != Rights.None;
    }

    /// <summary>Reads what <see cref="ToString"/> writes.</summary>
    public static bool TryParse(string text, out Grants grants)
    {
        var list = new List<Grant>();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var at = word.IndexOf('=', StringComparison.Ordinal);
            if (at < 0 || !TryRight(word[..at], out var right) || !IsScope(word[(at + 1)..]))
            {
                grants = None;
                return false;
            }

            list.Add(new(right, word[(at + 1)..]));
        }

        grants = new(list);
        return list.Count <= CountMax;
    }

    public static bool IsScope(string text) => text == Grant.Everywhere || IsName(text);

    /// <summary>Names of identities, queues and pools: 1 to 64 characters of a-z, 0-9, '.', '_' and '-'.</summary>
    public static bool IsName(string text) => text.Length is >= 1 and <= NameCharsMax && text.All(letter =>
        char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '.' or '_' or '-');

    private static Rights WithImplied(Rights right) => right switch
    {
        Rights.Admin => Rights.All,
        Rights.Operate => Rights.Operate | Rights.Read | Rights.Cancel | Rights.Retry,
        _ => right,
    };
}
