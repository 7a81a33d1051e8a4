// SPDX-License-Identifier: Apache-2.0
using System;
using Muster.Core;
using Muster.Identity.Joining;

namespace Muster.Cli.Arguments;

/// <summary>Reads a join line from an argument, or, as other users of the host see arguments, from standard
/// input.</summary>
internal static class JoinLines
{
    private const string FromInput = "-";

    public static JoinLine Parse(string text)
    {
        var given = text == FromInput ? Console.In.ReadLine() ?? "" : text;
        return JoinLine.TryParse(given.Trim(), out var line)
            ? line
            : throw new MusterException(
                FaultCodes.Name(FaultCode.JoinLineInvalid),
                "this is not TOKEN@HOST:PORT as 'muster auth issue' prints it; take the whole line");
    }
}
