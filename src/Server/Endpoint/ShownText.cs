// SPDX-License-Identifier: Apache-2.0
using System;

namespace Muster.Server.Endpoint;

/// <summary>
/// Names that a peer gives itself and that come onto people's terminals and into logs: nothing in them may move a
/// cursor, and none may fill a log.
/// </summary>
internal static class ShownText
{
    private const int CharsMax = 256;

    /// <summary>The text without control characters, cut to 256 characters.</summary>
    public static string Of(string text) =>
        string.Create(Math.Min(text.Length, CharsMax), text, static (target, source) =>
        {
            for (var i = 0; i < target.Length; i++)
            {
                target[i] = char.IsControl(source[i]) ? '?' : source[i];
            }
        });
}
