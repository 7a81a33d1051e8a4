// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Runtime.CompilerServices;
using System.Text;
using System.Threading;
using System.Threading.Tasks;

namespace Muster.Cli.Arguments;

/// <summary>
/// Reads inputs from a stream, one a line, or separated by zero bytes. Empty lines are inputs too. Cancelling ends the
/// inputs without an exception, also while a terminal or pipe has nothing to read.
/// </summary>
internal static class InputLines
{
    public static async IAsyncEnumerable<string> ReadAsync(
        Stream stream, char separator, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var reader = new StreamReader(stream, new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false);
        var buffer = new char[8192];
        var line = new StringBuilder();
        while (true)
        {
            // The read itself cannot be cancelled on a pipe; it is left behind.
            var read = reader.ReadAsync(buffer, 0, buffer.Length);
            await ((Task)read).WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
            {
                yield break;
            }

            var count = await read;
            if (count == 0)
            {
                break;
            }

            var from = 0;
            int end;
            while ((end = Array.IndexOf(buffer, separator, from, count - from)) >= 0)
            {
                line.Append(buffer, from, end - from);
                yield return Take(line, separator);
                from = end + 1;
            }

            line.Append(buffer, from, count - from);
        }

        if (line.Length > 0)
        {
            yield return Take(line, separator);
        }
    }

    private static string Take(StringBuilder line, char separator)
    {
        // Files that came from Windows end their lines with two characters.
        if (separator == '\n' && line.Length > 0 && line[^1] == '\r')
        {
            line.Length--;
        }

        var text = line.ToString();
        line.Clear();
        return text;
    }
}
