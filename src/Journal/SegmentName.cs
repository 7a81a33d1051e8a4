// SPDX-License-Identifier: Apache-2.0
using System;
using System.Globalization;

namespace Muster.Journal;

/// <summary>Names of the files in a journal's folder. What has another name is not the journal's.</summary>
internal static class SegmentName
{
    /// <summary>A prepared file that becomes the next segment.</summary>
    public const string Spare = "spare";

    /// <summary>A spare in the making; worthless after a crash.</summary>
    public const string SpareInMaking = "spare.new";

    /// <summary>What a repair set aside; a number makes it unique.</summary>
    public const string AsidePrefix = "cut-";

    private const string Suffix = ".segment";
    private const int Digits = 12;

    /// <summary>For example 000000000042.segment.</summary>
    public static string Of(ulong number) => number.ToString("D12", CultureInfo.InvariantCulture) + Suffix;

    public static bool TryParse(string name, out ulong number)
    {
        number = 0;
        return name.Length == Digits + Suffix.Length
            && name.EndsWith(Suffix, StringComparison.Ordinal)
            && ulong.TryParse(name.AsSpan(0, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
