// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;

namespace Muster.Cli.Arguments;

/// <summary>
/// Splits a line into words as a POSIX shell would, and does nothing else a shell does: quotes and backslashes are
/// understood; variables, patterns, pipes and redirections are plain characters.
/// </summary>
internal static class ShellWords
{
    public static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isInWord = false;
        for (var index = 0; index < line.Length; index++)
        {
            switch (line[index])
            {
                case ' ' or '\t' or '\n' or '\r':
                    Finish(words, word, ref isInWord);
                    break;
                case '\'':
                    isInWord = true;
                    index = TakeSingleQuoted(line, index, word);
                    break;
                case '"':
                    isInWord = true;
                    index = TakeDoubleQuoted(line, index, word);
                    break;
                case '\\':
                    isInWord = true;
                    index = TakeEscaped(line, index, word);
                    break;
                default:
                    isInWord = true;
                    word.Append(line[index]);
                    break;
            }
        }

        Finish(words, word, ref isInWord);
        return words;
    }

    /// <summary>One word for a POSIX shell, whatever the text holds.</summary>
    public static string Quote(string text) => "'" + text.Replace("'", "'\\''", System.StringComparison.Ordinal) + "'";

    private static void Finish(List<string> words, StringBuilder word, ref bool isInWord)
    {
        if (isInWord)
        {
            words.Add(word.ToString());
            word.Clear();
            isInWord = false;
        }
    }

    private static int TakeSingleQuoted(string line, int open, StringBuilder word)
    {
        var close = line.IndexOf('\'', open + 1);
        if (close < 0)
        {
            throw Unclosed('\'', line);
        }

        word.Append(line, open + 1, close - open - 1);
        return close;
    }

    private static int TakeDoubleQuoted(string line, int open, StringBuilder word)
    {
        for (var index = open + 1; index < line.Length; index++)
        {
            if (line[index] == '"')
            {
                return index;
            }

            // Inside double quotes a backslash escapes only what would otherwise mean something there.
            if (line[index] == '\\' && index + 1 < line.Length && line[index + 1] is '"' or '\\' or '$' or '`')
            {
                index++;
            }

            word.Append(line[index]);
        }

        throw Unclosed('"', line);
    }

    private static int TakeEscaped(string line, int backslash, StringBuilder word)
    {
        if (backslash + 1 == line.Length)
        {
            throw new UsageException($"the command ends with a backslash: {line}");
        }

        word.Append(line[backslash + 1]);
        return backslash + 1;
    }

    private static UsageException Unclosed(char quote, string line) =>
        new($"the command has an opening {quote} without its closing one: {line}");
}
