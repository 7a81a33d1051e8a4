// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using Muster.Core;
using Spectre.Console;

namespace Muster.Cli.Output;

/// <summary>
/// Prints columns: with colour and cut to the window on a terminal; plain, whole and separated by two spaces elsewhere,
/// for grep and awk. Cells are made safe for terminals.
/// </summary>
internal sealed class TextTable(params string[] headings)
{
    private readonly List<string[]> _rows = [];

    public void Add(params string[] cells) => _rows.Add([.. cells.Select(cell => ShownText.Clean(cell))]);

    public void Print(Terminal terminal)
    {
        if (terminal.IsOutputTerminal)
        {
            terminal.Styled(Styled());
        }
        else
        {
            foreach (var line in Plain())
            {
                terminal.Line(line);
            }
        }
    }

    /// <summary>The lines for a file or pipe.</summary>
    public IEnumerable<string> Plain()
    {
        string[][] all = [headings, .. _rows];
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        return all.Select(
            row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }

    /// <summary>The same as text for a terminal of this width, with escape sequences.</summary>
    public string Styled(int? width = null)
    {
        var text = new StringBuilder();
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 }
                ? ColorSystemSupport.NoColors
                : ColorSystemSupport.Standard,
            Interactive = InteractionSupport.No,
            Out = new AnsiConsoleOutput(new StringWriter(text)),
        });
        console.Profile.Width = width ?? WindowWidth();
        var table = new Table { Border = TableBorder.None, ShowHeaders = true };
        foreach (var heading in headings)
        {
            // Only the last column, the one with sentences, is folded.
            table.AddColumn(new TableColumn(new Markup($"[bold]{Markup.Escape(heading)}[/]"))
            {
                NoWrap = heading != headings[^1],
            });
        }

        foreach (var row in _rows)
        {
            table.AddRow(row.Select(cell => new Text(cell)).ToArray());
        }

        console.Write(table);
        return text.ToString();
    }

    /// <summary>Some terminals do not know their width and say 0.</summary>
    private static int WindowWidth() => Console.WindowWidth is > 0 and var width ? width : 120;
}
