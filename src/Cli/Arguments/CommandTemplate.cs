// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using System.Text;

namespace Muster.Cli.Arguments;

/// <summary>
/// A command with places for the input: {} the input, {.} without its extension, {/} its last path segment, {//} its
/// folder, {/.} the last segment without extension, {#} its number from 1. Without any place, the input becomes the
/// last word. Immutable.
/// </summary>
internal sealed class CommandTemplate
{
    private static readonly string[] s_places = ["{}", "{.}", "{/}", "{//}", "{/.}", "{#}"];

    private readonly List<string> _words;

    private CommandTemplate(List<string> words, bool shell)
    {
        _words = words;
        IsShell = shell;
    }

    /// <summary>The one word is a line for /bin/sh.</summary>
    public bool IsShell { get; }

    /// <summary>Reads what stood on the command line.</summary>
    /// <param name="words">One word is split as a shell would split it; more are taken as they are.</param>
    /// <param name="shell">The words, joined, are given to a shell; what replaces a place is quoted for it.</param>
    public static CommandTemplate Parse(IReadOnlyList<string> words, bool shell)
    {
        RefuseOption(words);
        List<string> split = shell
            ? [string.Join(' ', words)]
            : words.Count == 1 ? ShellWords.Split(words[0]) : [.. words];
        if (split.Count == 0 || split.All(string.IsNullOrWhiteSpace))
        {
            throw new UsageException(
                "the command is empty; write it as one quoted word: muster map 'sha256sum {}' ::: *");
        }

        if (!split.Exists(word => Array.Exists(s_places, place => word.Contains(place, StringComparison.Ordinal))))
        {
            if (shell)
            {
                split[0] += " {}";
            }
            else
            {
                split.Add("{}");
            }
        }

        return new(split, shell);
    }

    /// <summary>No program is called so; it is an option that the verb does not have.</summary>
    public static void RefuseOption(IReadOnlyList<string> words)
    {
        if (words.Count > 0 && words[0].StartsWith('-'))
        {
            throw new UsageException($"unknown option '{words[0]}'");
        }
    }

    /// <summary>The argument vector for one input.</summary>
    /// <param name="input">As given.</param>
    /// <param name="number">Position of the input, from 1.</param>
    public List<string> Fill(string input, long number) => [.. _words.Select(word => Fill(word, input, number))];

    private string Fill(string word, string input, long number)
    {
        if (!word.Contains('{', StringComparison.Ordinal))
        {
            return word;
        }

        var filled = new StringBuilder();
        for (var index = 0; index < word.Length;)
        {
            var place = Array.Find(s_places, place => string.CompareOrdinal(word, index, place, 0, place.Length) == 0);
            if (place is null)
            {
                filled.Append(word[index++]);
                continue;
            }

            var value = Value(place, input, number);
            filled.Append(IsShell ? ShellWords.Quote(value) : value);
            index += place.Length;
        }

        return filled.ToString();
    }

    private static string Value(string place, string input, long number) => place switch
    {
        "{}" => input,
        "{.}" => WithoutExtension(input),
        "{/}" => LastSegment(input),
        "{//}" => Folder(input),
        "{/.}" => WithoutExtension(LastSegment(input)),
        _ => number.ToString(CultureInfo.InvariantCulture),
    };

    private static string WithoutExtension(string path)
    {
        var segment = path.LastIndexOf('/') + 1;
        var dot = path.LastIndexOf('.');

        // A leading dot makes a hidden file, not an extension.
        return dot > segment ? path[..dot] : path;
    }

    private static string LastSegment(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string Folder(string path)
    {
        var slash = path.LastIndexOf('/');
        return slash < 0 ? "." : slash == 0 ? "/" : path[..slash];
    }
}
