// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Runtime.InteropServices;

namespace Muster.Core;

/// <summary>What a number that the system gave for a failure means, for people; with the number, for manuals.</summary>
internal static class OsError
{
    public static string Words(int errno) => string.Create(
        CultureInfo.InvariantCulture, $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");
}
